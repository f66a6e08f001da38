import { describe, expect, it, jest } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FlowReconciliation } from '../../../engine/data-flow/flow-reconciliation.js';
import type { DataFlows } from '../../../engine/data-flow/data-flows.js';
import type { CompiledDataFlow } from '../../../src/data-flow/compile.js';
import { defineDataFlow, type DataFlow } from '../../../src/data-flow/data-flow.js';
import type { FlowRunRecord } from '../../../src/data-flow/catalog.js';
import type { Row } from '../../../src/data-flow/row.js';
import { flowStart } from '../../../src/data-flow/run.js';
import { collecting, useFlowStack, type FlowStack } from '../../support/flow-stack.js';
import {
  claimRun,
  endOf,
  listSink,
  listSource,
  numbered,
  uniqueFlow,
} from '../../support/flows.js';
import { useGates } from '../../support/gate.js';
import { useTemporal } from '../../support/temporal.js';
import { until } from '../../support/until.js';

jest.setTimeout(60_000);

const temporal = useTemporal();
const start = useFlowStack(temporal);
const gate = useGates();

/** Later than a claim is left to whoever has made it. */
function later(): Date {
  return new Date(Date.now() + 60_000);
}

function flow(name: string, written: Row[] = [], before?: () => Promise<void>): DataFlow {
  return defineDataFlow({
    name,
    batchSize: 2,
    source: listSource(
      () => numbered(6),
      (from) => (from === 2 ? before?.() : undefined),
    ),
    sink: listSink(written),
  });
}

async function claim({ flows }: FlowStack, name: string): Promise<FlowRunRecord> {
  await flows.reconciliation.declare(new Date());
  return claimRun(flows, name);
}

async function begun(flows: DataFlows, { flow: name, id }: FlowRunRecord): Promise<void> {
  await until(async () =>
    (await flows.findRun(name, id)).status === 'in_progress' ? true : undefined,
  );
}

describe('a reconciliation', () => {
  it('starts a run that was claimed by a process that died before it could start it, once', async () => {
    const name = uniqueFlow();
    const written: Row[] = [];
    const stack = await start({ flows: [flow(name, written)] });
    const run = await claim(stack, name);
    const { reconciliation } = stack.flows;
    // Its claimer may still be about to.
    expect((await reconciliation.run(new Date())).started).toEqual([]);
    const beside = await start({ flows: [flow(name)], beside: stack });
    const reports = await Promise.all(
      [reconciliation, beside.flows.reconciliation].map((one) => one.run(later())),
    );
    expect(reports.flatMap(({ started }) => started)).toContain(run.workflowId);
    expect(await endOf(stack.flows, run)).toMatchObject({ status: 'success', counts: { read: 6 } });
    expect(written).toHaveLength(6);
    expect(await stack.flows.runs(name, { limit: 5 })).toHaveLength(1);
  });

  it('closes a run that was terminated, whoever else reconciles, and the next one goes on where it was', async () => {
    const name = uniqueFlow();
    const stuck = gate();
    const written: Row[] = [];
    const stack = await start({ flows: [flow(name, written, stuck.pass)] });
    const { flows } = stack;
    const run = await flows.run(name);
    await stuck.reached;
    await temporal.client.workflow.getHandle(run.workflowId).terminate('by hand');
    const beside = await start({ flows: [flow(name)], beside: stack });
    const reports = await Promise.all([flows, beside.flows, flows].map((one) => one.reconcile()));
    expect(reports.flatMap(({ closed }) => closed)).toContain(run.workflowId);
    const closed = await flows.findRun(name, run.id);
    expect(closed).toMatchObject({
      status: 'failed',
      errorMessage: 'The run was terminated.',
      lastCursor: 2,
      counts: { read: 2 },
    });
    expect((await flows.show(name)).record.lastRunStatus).toBe('failed');
    stuck.open();
    const next = await endOf(flows, await flows.run(name));
    expect(next).toMatchObject({
      runSeq: 2,
      status: 'success',
      firstCursor: 2,
      counts: { read: 4 },
    });
    // What the first one still wrote is nothing that counts.
    expect(await flows.findRun(name, run.id)).toEqual(closed);
  });

  it('closes a run that Temporal has timed out', async () => {
    const name = uniqueFlow();
    const stuck = gate();
    const stack = await start({ flows: [flow(name, [], stuck.pass)] });
    const run = await claim(stack, name);
    const { definition } = await stack.flows.show(name);
    const begin = flowStart(definition!, run, { afterExecute: false });
    const { engine, project } = stack;
    await engine.temporal.client.workflow.start(begin.workflowType, {
      workflowId: begin.workflowId,
      args: [begin.argument],
      memo: { ...begin.memo },
      taskQueue: project.config.asyncQueue,
      workflowExecutionTimeout: 2_000,
    });
    await stuck.reached;
    await until(async () =>
      (await stack.flows.starter.workflowStatus(run)) === 'TIMED_OUT' ? true : undefined,
    );
    expect((await stack.flows.reconcile()).closed).toEqual([run.workflowId]);
    expect(await stack.flows.findRun(name, run.id)).toMatchObject({
      status: 'failed',
      errorMessage: 'The run took longer than its timeout.',
    });
  });

  it('takes a workflow of another catalog for none: the run is started, and has its own rows', async () => {
    const name = uniqueFlow();
    const stack = await start({ flows: [flow(name)] });
    expect(await endOf(stack.flows, await stack.flows.run(name))).toMatchObject({ runSeq: 1 });
    // A catalog that was begun anew counts from one again, and finds the workflow of the old one.
    const written: Row[] = [];
    const anew = await start({ flows: [flow(name, written)] });
    const run = await claim(anew, name);
    expect(run.workflowId).toBe(`flow/${name}/1`);
    expect(await anew.flows.starter.workflowStatus(run)).toBeUndefined();
    expect((await anew.flows.reconciliation.run(later())).started).toEqual([run.workflowId]);
    expect(await endOf(anew.flows, run)).toMatchObject({ status: 'success', counts: { read: 6 } });
    expect(written).toHaveLength(6);
  });

  it('starts a run in progress anew whose workflow is gone, and it goes on at its cursor', async () => {
    const name = uniqueFlow();
    const written: Row[] = [];
    const stack = await start({ flows: [flow(name, written)] });
    const { flows } = stack;
    const run = await claim(stack, name);
    // It had begun and moved a batch when Temporal's own database was lost.
    const position = (await flows.catalog.begin(run, { plan: {}, now: new Date() }))!;
    const counts = { ...position.counts, read: 2, written: 2, unpredictable: 2, batches: 1 };
    const to = { ...position, runSeq: run.runSeq, step: 1, cursor: 2, counts };
    expect(await flows.catalog.advance(run, { from: 0, to, rejections: [], now: new Date() })).toBe(
      true,
    );
    expect((await flows.reconciliation.run(later())).started).toEqual([run.workflowId]);
    expect(await endOf(flows, run)).toMatchObject({
      status: 'success',
      runSeq: 1,
      firstCursor: null,
      lastCursor: 6,
      counts: { read: 6, written: 6, batches: 3 },
    });
    expect(written.map(({ number }) => number)).toEqual([3, 4, 5, 6]);
  });
});

describe('the schedule of a flow that no code has any more', () => {
  const HOURLY = { every: '1h' } as const;

  function scheduled(name: string): DataFlow {
    return defineDataFlow({ name, schedule: HOURLY, run: () => undefined });
  }

  /** As if every process that has the flow had been gone for so long. */
  function unseen({ dir }: FlowStack, name: string, minutes: number): void {
    const db = new Sqlite(join(dir, 'catalog.db'));
    const at = new Date(Date.now() - minutes * 60_000).toISOString();
    const { changes } = db
      .prepare('UPDATE data_flows SET seen_at = ? WHERE name = ?')
      .run(at, name);
    db.close();
    expect(changes).toBe(1);
  }

  function reconcile(stack: FlowStack, has: ReadonlyMap<string, CompiledDataFlow>) {
    const { catalog, starter, schedules } = stack.flows;
    const log = collecting([]);
    return new FlowReconciliation({ catalog, starter, schedules, flows: () => has, log }).run(
      new Date(),
    );
  }

  /** The list of schedules follows a moment later. */
  async function listed({ flows }: FlowStack, name: string): Promise<void> {
    await until(async () => ((await flows.schedules.names()).includes(name) ? true : undefined));
  }

  it('is paused after a quarter of an hour, goes on when the code has it again, and is removed by prune alone', async () => {
    const [gone, stays] = [uniqueFlow('gone'), uniqueFlow('stays')];
    const stack = await start({ flows: [scheduled(gone), scheduled(stays)], worker: false });
    const { flows, project } = stack;
    await flows.reconcile();
    await listed(stack, gone);
    const others = new Map([...project.registry.dataFlows].filter(([name]) => name === stays));

    // A rolling deploy hides it for a while.
    unseen(stack, gone, 14);
    expect((await reconcile(stack, others)).orphans).toEqual([]);
    expect(await flows.schedules.state(gone)).toMatchObject({ paused: false });

    unseen(stack, gone, 16);
    expect((await reconcile(stack, others)).orphans).toEqual([gone]);
    expect(await flows.schedules.state(gone)).toMatchObject({
      paused: true,
      note: expect.stringContaining('no deployed code has had this flow'),
    });
    expect(await flows.schedules.state(stays)).toMatchObject({ paused: false });

    expect((await reconcile(stack, project.registry.dataFlows)).schedules).toEqual([gone]);
    expect(await flows.schedules.state(gone)).toMatchObject({ paused: false, note: '' });

    const run = await claim(stack, gone);
    await flows.catalog.end(run, { status: 'success', now: new Date() });
    await flows.prune(gone);
    expect(await flows.catalog.flow(gone)).toBeUndefined();
    await expect(flows.schedules.state(gone)).rejects.toMatchObject({
      name: 'ScheduleNotFoundError',
    });
    expect(await flows.catalog.run(gone, run.id)).toBeUndefined();
    expect(await flows.catalog.flow(stays)).toBeDefined();
  });

  it('that an operator has paused keeps their note, and stays paused when the code is back', async () => {
    const name = uniqueFlow();
    const stack = await start({ flows: [scheduled(name)], worker: false });
    const { flows, project } = stack;
    await flows.reconcile();
    await listed(stack, name);
    await flows.pause(name, 'inventory');
    unseen(stack, name, 60);
    await reconcile(stack, new Map());
    await reconcile(stack, project.registry.dataFlows);
    expect(await flows.schedules.state(name)).toMatchObject({ paused: true, note: 'inventory' });
  });

  it('that goes on keeps what an operator has written of it, while it is an orphan and after', async () => {
    const name = uniqueFlow();
    const stack = await start({ flows: [scheduled(name)], worker: false });
    const { flows, project } = stack;
    await flows.reconcile();
    await listed(stack, name);
    await flows.resume(name, 'watch the first night');
    unseen(stack, name, 60);
    expect((await reconcile(stack, new Map())).orphans).toEqual([name]);
    expect(await flows.schedules.state(name)).toMatchObject({
      paused: true,
      note: expect.stringMatching(/^Millrace: no deployed code .* watch the first night$/),
    });
    await reconcile(stack, project.registry.dataFlows);
    expect(await flows.schedules.state(name)).toMatchObject({
      paused: false,
      note: 'watch the first night',
    });
  });

  it('is not removed while a run of it goes on', async () => {
    const name = uniqueFlow();
    const stack = await start({ flows: [scheduled(name)], worker: false });
    await stack.flows.reconcile();
    await claim(stack, name);
    await expect(stack.flows.prune(name)).rejects.toMatchObject({ name: 'FlowActive' });
    expect(await stack.flows.schedules.state(name)).toMatchObject({ paused: false });
  });
});

describe('a rolling deploy', () => {
  it('loses no run of a flow that only some workers have, and leaves its schedule alone', async () => {
    const [old, added] = [uniqueFlow('old'), uniqueFlow('added')];
    const written: Row[] = [];
    const before = await start({ flows: [flow(old)] });
    const scheduled = defineDataFlow({
      name: added,
      schedule: { every: '1h' },
      source: listSource(() => numbered(6)),
      sink: listSink(written),
    });
    // A process of the new version that only serves: no worker has the code yet.
    const after = await start({ flows: [flow(old), scheduled], beside: before });
    await after.flows.reconcile();
    const run = await after.flows.run(added);
    await delay(2_000);
    await before.flows.reconcile();
    expect((await after.flows.findRun(added, run.id)).endedAt).toBeNull();
    expect(await after.flows.schedules.state(added)).toMatchObject({ paused: false });
    before.worker!.code.replace(after.project.registry, new Map());
    expect(await endOf(after.flows, run)).toMatchObject({
      status: 'success',
      counts: { read: 6 },
    });
    expect(written).toHaveLength(6);
  });
});

describe('a run that is cancelled', () => {
  it('before its workflow was started never moves a row', async () => {
    const name = uniqueFlow();
    const written: Row[] = [];
    const stack = await start({ flows: [flow(name, written)] });
    const run = await claim(stack, name);
    expect(await stack.flows.cancel(name, run.id)).toMatchObject({ status: 'cancelled' });
    // Its claimer was only slow.
    const { definition } = await stack.flows.show(name);
    await stack.flows.starter.start(definition!, run);
    await temporal.client.workflow.getHandle(run.workflowId).result();
    expect(written).toEqual([]);
    expect(await stack.flows.findRun(name, run.id)).toMatchObject({ status: 'cancelled' });
  });

  it('while its worker hangs ends as cancelled, and frees the flow', async () => {
    const name = uniqueFlow();
    const stuck = gate();
    const { flows } = await start({ flows: [flow(name, [], stuck.pass)] });
    const run = await flows.run(name);
    await stuck.reached;
    await begun(flows, run);
    await flows.cancel(name, run.id);
    expect(await endOf(flows, run)).toMatchObject({
      status: 'cancelled',
      lastCursor: 2,
      counts: { read: 2 },
    });
    stuck.open();
    expect(await endOf(flows, await flows.run(name))).toMatchObject({
      status: 'success',
      counts: { read: 4 },
    });
  });
});
