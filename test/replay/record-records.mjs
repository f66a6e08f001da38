/** Records the histories of record pipelines, for record-histories.mjs: one run of each way through their workflow. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { defineStore, record as recordType } from '../../dist/adapters/record-store/index.js';
import {
  async,
  defineRecordPipeline,
  step,
} from '../../dist/src/record-pipeline/record-pipeline.js';
import { createTestEnvironment } from '../../dist/testing/test-environment.js';
import { ended, onContinuingServer, pause, recordChain } from './recording.mjs';

/** An activity drains for ten seconds: this takes two of them. */
const LONG = { records: 130, waitMs: 100 };

const pipelines = {
  'records-drained': LONG,
  'records-continued': LONG,
  'records-failed': { failing: true },
  'records-retried': { failing: true, over: { onError: 'continue' } },
  'records-unprepared': {
    over: {
      prepare: () => {
        throw new Error('there is nothing to work on');
      },
    },
  },
  'records-cancelled': { records: 1_000, waitMs: 500 },
  'records-timed-out': { records: 1_000, waitMs: 500, over: { timeout: '2s' } },
  'records-refused': { waitMs: 1_000 },
  'records-queued': { waitMs: 1_000 },
  'records-missing-code': {},
};

function pipelineOf(dir, name, { records = 2, waitMs = 0, failing = false, over = {} }) {
  const columns = { name: z.string(), greeted: z.boolean().default(false) };
  const store = defineStore({
    dir: join(dir, name),
    records: { user: recordType({ table: 'users', columns }) },
  });
  for (let n = 1; n <= records; n += 1) store.user.create({ name: `u${n}` });
  const greet = step({
    label: 'greet',
    records: (s) => s.user.where({ greeted: false }),
    each: async ({ record: user, signal }) => {
      await pause(waitMs);
      signal.throwIfAborted();
      if (failing && user.id === 2) throw new Error('nobody greets u2');
      user.update({ greeted: true });
    },
  });
  const processor = async({ concurrency: 1 });
  return defineRecordPipeline(store, { name, processor, steps: [greet], ...over });
}

/** Other than to start it and to wait for its end: what is done to a run, and which one is recorded. */
const ways = {
  'records-retried': async ({ records, client }) => {
    await ended(client, (await records.run('records-retried')).workflowId);
    return records.run('records-retried', { retryFailed: true });
  },
  'records-cancelled': async ({ records }) => {
    const run = await records.run('records-cancelled');
    await pause(2_000);
    await run.handle.cancel();
    return run;
  },
  'records-refused': async ({ records }) => {
    await records.run('records-refused');
    await pause(500);
    return records.run('records-refused');
  },
  'records-queued': async ({ records }) => {
    await records.run('records-queued');
    await pause(500);
    return records.run('records-queued', { queue: true });
  },
  'records-missing-code': async ({ records, env }) => {
    const { registry } = env.worker.code;
    const run = await records.run('records-missing-code');
    env.worker.code.replace({ ...registry, recordPipelines: new Map() }, new Map());
    await pause(1_500);
    env.worker.code.replace(registry, new Map());
    return run;
  },
};

/** @param record - writes the history of a run: name, client, workflow id, run id */
export async function recordRecords({ address, wanted, record }) {
  const names = Object.keys(pipelines).filter(
    (name) => wanted.length === 0 || wanted.includes(name),
  );
  const short = names.filter((name) => name !== 'records-continued');
  await withRecords(address, short, async (parts) => {
    for (const name of short) {
      const way = ways[name] ?? (({ records }) => records.run(name));
      const { workflowId } = await way(parts);
      await ended(parts.client, workflowId);
      await record(name, parts.client, workflowId);
    }
  });
  const long = names.filter((name) => name === 'records-continued');
  if (long.length === 0) return;
  await onContinuingServer((at) =>
    withRecords(at, long, async ({ records, client }) => {
      const { workflowId } = await records.run('records-continued');
      await recordChain('records-continued', { client, workflowId, record });
    }),
  );
}

async function withRecords(address, names, work) {
  if (names.length === 0) return;
  const dir = await mkdtemp(join(tmpdir(), 'millrace-record-stores-'));
  const recordPipelines = names.map((name) => pipelineOf(dir, name, pipelines[name]));
  const env = await createTestEnvironment({ recordPipelines, env: { TEMPORAL_ADDRESS: address } });
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection });
    await work({ env, client, records: env.engine.recordPipelines });
  } finally {
    await connection.close();
    await env.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
