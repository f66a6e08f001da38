/** Records the histories of data flows, for record-histories.mjs: one run of each way through their workflows. */
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { defineDataFlow } from '../../dist/src/data-flow/data-flow.js';
import { defineSink } from '../../dist/src/data-flow/sink.js';
import { defineSource } from '../../dist/src/data-flow/source.js';
import { permanent } from '../../dist/src/pipeline/permanent.js';
import { createTestEnvironment } from '../../dist/testing/test-environment.js';
import { ended, onContinuingServer, pause, recordChain } from './recording.mjs';

const numbers = defineSource({
  name: 'numbers',
  options: z.object({ upTo: z.number(), waitMs: z.number().default(0) }),
  async *read({ options: { upTo, waitMs }, cursor, batchSize }) {
    for (let next = Number(cursor ?? 0); next < upTo; next += batchSize) {
      if (waitMs > 0) await pause(waitMs);
      const end = Math.min(next + batchSize, upTo);
      yield { rows: Array.from({ length: end - next }, (_, at) => ({ at })), cursor: end };
    }
  },
});
/** How often each flow's sink was asked. */
const asked = new Map();
const nowhere = defineSink({
  name: 'nowhere',
  options: z.object({ closed: z.boolean().default(false), failures: z.number().default(0) }),
  open: ({ flow, options }) => ({
    write: async ({ rows }) => {
      if (options.closed) throw permanent('the warehouse is closed');
      const failed = asked.get(flow) ?? 0;
      asked.set(flow, failed + 1);
      if (failed < options.failures) throw new Error('the warehouse is busy');
      return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
    },
  }),
});
/** An activity moves 200,000 rows at most: this takes four. */
const MANY = 600_010;

const flow = (name, { upTo = 10, waitMs = 0, closed = false, failures = 0, ...more } = {}) =>
  defineDataFlow({
    name,
    batchSize: 10_000,
    ...more,
    source: numbers({ upTo, waitMs }),
    sink: nowhere({ closed, failures }),
  });
const yearly = { cron: '0 0 1 1 *' };
const flows = [
  flow('flow-moved', { upTo: MANY }),
  flow('flow-continued', { upTo: MANY }),
  flow('flow-failed', { closed: true }),
  flow('flow-given-up', {
    failures: 9,
    retry: { maximumAttempts: 2, initialInterval: '500ms', backoffCoefficient: 2 },
  }),
  flow('flow-retried', { failures: 2, retry: { maximumAttempts: 3, initialInterval: '500ms' } }),
  flow('flow-cancelled', { upTo: 10 * MANY, waitMs: 500 }),
  flow('flow-timed-out', { upTo: 10 * MANY, waitMs: 500, timeout: '1s' }),
  flow('flow-missing-code'),
  flow('flow-over'),
  flow('flow-scheduled', { schedule: yearly }),
  flow('flow-buffered', { schedule: yearly, overlap: 'BUFFER_ONE', upTo: 20_000, waitMs: 800 }),
  defineDataFlow({ name: 'flow-body', run: ({ saveCursor }) => saveCursor(1, { read: 1 }) }),
];

/** Other than to start it and to wait for its end: what is done to a flow, and which histories come of it. */
const ways = {
  'flow-cancelled': async ({ dataFlows, record, client }) => {
    const run = await dataFlows.run('flow-cancelled');
    await pause(1_500);
    await dataFlows.cancel('flow-cancelled', run.id);
    await ended(client, run.workflowId);
    await record('flow-cancelled', client, run.workflowId);
  },
  'flow-missing-code': async ({ dataFlows, record, client, env }) => {
    const { registry } = env.worker.code;
    await dataFlows.reconciliation.declare(new Date());
    env.worker.code.replace({ ...registry, dataFlows: new Map() }, new Map());
    const { definition } = { definition: registry.dataFlows.get('flow-missing-code') };
    const claim = { flow: definition.name, trigger: 'manual', now: new Date() };
    const { run } = await dataFlows.catalog.claim(claim);
    await dataFlows.starter.start(definition, run);
    await pause(1_500);
    env.worker.code.replace(registry, new Map());
    await ended(client, run.workflowId);
    await record('flow-missing-code', client, run.workflowId);
  },
  'flow-over': async ({ dataFlows, record, client }) => {
    const { definition } = await dataFlows.show('flow-over');
    const claim = { flow: 'flow-over', trigger: 'manual', now: new Date() };
    const { run } = await dataFlows.catalog.claim(claim);
    await dataFlows.catalog.end(run, { status: 'cancelled', now: new Date() });
    await dataFlows.starter.start(definition, run);
    await ended(client, run.workflowId);
    await record('flow-over', client, run.workflowId);
  },
  'flow-scheduled': async (parts) => triggered('flow-scheduled', 'flow-trigger', parts),
  'flow-buffered': async (parts) => {
    await parts.dataFlows.run('flow-buffered');
    await pause(300);
    await triggered('flow-buffered', 'flow-trigger-busy', parts);
  },
};

/** Has the schedule of a flow start it; records what has done so, too. */
async function triggered(name, as, { dataFlows, record, client }) {
  await dataFlows.schedule(name);
  const schedule = client.schedule.getHandle(`millrace/flow/${name}`);
  await schedule.trigger();
  let action;
  while (action === undefined) {
    await pause(200);
    [action] = (await schedule.describe()).info.recentActions;
  }
  const { workflowId } = action.action.workflow;
  const { run } = await client.workflow.getHandle(workflowId).result();
  await record(as, client, workflowId);
  await record(name, client, run);
  await dataFlows.schedules.remove(name);
}

/** @param record - writes the history of a run: name, client, workflow id, run id */
export async function recordFlows({ address, wanted, record }) {
  const isWanted = ({ name }) => wanted.length === 0 || wanted.includes(name);
  const isLong = ({ name }) => name === 'flow-continued';
  const found = flows.filter(isWanted);
  const [long, short] = [found.filter(isLong), found.filter((one) => !isLong(one))];
  await withFlows(address, short, async (made) => {
    const parts = { ...made, record };
    for (const { name } of short) {
      const way = ways[name];
      if (way !== undefined) {
        await way(parts);
        continue;
      }
      const { workflowId } = await parts.dataFlows.run(name);
      await ended(parts.client, workflowId);
      await record(name, parts.client, workflowId);
    }
    if (wanted.length > 0 && !wanted.includes('flow-reconciled')) return;
    const { client, env } = parts;
    const { taskQueue } = env;
    const workflowId = 'flow-reconciled';
    await client.workflow.execute('reconcileDataFlows', { taskQueue, workflowId });
    await record(workflowId, client, workflowId);
  });
  if (long.length > 0)
    await onContinuingServer((at) =>
      withFlows(at, long, async ({ dataFlows, client }) => {
        const { workflowId } = await dataFlows.run('flow-continued');
        await recordChain('flow-continued', { client, workflowId, record });
      }),
    );
}

async function withFlows(address, dataFlows, work) {
  if (dataFlows.length === 0) return;
  const env = await createTestEnvironment({ dataFlows, env: { TEMPORAL_ADDRESS: address } });
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection });
    await work({ env, client, dataFlows: await env.engine.dataFlows() });
  } finally {
    await connection.close();
    await env.stop();
  }
}
