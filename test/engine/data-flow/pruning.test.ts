import { describe, expect, it, jest } from '@jest/globals';
import pino from 'pino';
import { DataFlows } from '../../../engine/data-flow/data-flows.js';
import { defineDataFlow, type DataFlow } from '../../../src/data-flow/data-flow.js';
import type { DataFlowCatalog } from '../../../src/data-flow/catalog.js';
import { useFlowStack, type FlowStack } from '../../support/flow-stack.js';
import { claimRun, runToEnd, uniqueFlow } from '../../support/flows.js';
import { useTemporal } from '../../support/temporal.js';
import { until } from '../../support/until.js';

jest.setTimeout(60_000);

const temporal = useTemporal();
const start = useFlowStack(temporal);

function scheduled(name: string): DataFlow {
  return defineDataFlow({ name, schedule: { every: '1h' }, run: () => undefined });
}

/** The flows of a stack over another catalog. */
function over({ project, flows }: FlowStack, change: Partial<DataFlowCatalog>): DataFlows {
  return new DataFlows({
    catalog: { ...flows.catalog, ...change },
    client: temporal.client,
    taskQueue: project.config.asyncQueue,
    afterExecute: false,
    flows: () => new Map(),
    log: pino({ level: 'silent' }),
  });
}

describe('flows that this code does not have', () => {
  it('are no orphans while another version of the code says that it has them', async () => {
    const [old, added] = [uniqueFlow('old'), uniqueFlow('added')];
    const newer = await start({ flows: [scheduled(old), scheduled(added)], worker: false });
    const { flows } = await start({ flows: [scheduled(old)], beside: newer });
    await newer.flows.reconcile();
    const { seenAt } = (await newer.flows.show(added)).record;
    expect(await flows.orphans()).toEqual([{ name: added, seenAt, isOrphaned: false }]);
    const later = new Date(seenAt.getTime() + 15 * 60_000);
    expect(await flows.orphans(later)).toEqual([{ name: added, seenAt, isOrphaned: true }]);
  });

  it('are orphans where only their schedule is left, which is removed', async () => {
    const name = uniqueFlow();
    const stack = await start({ flows: [scheduled(name)], worker: false });
    const { flows } = stack;
    await flows.reconcile();
    await flows.catalog.remove(name);
    const without = over(stack, {});
    const [found] = await until(async () => {
      const orphans = await without.orphans();
      return orphans.length > 0 ? orphans : undefined;
    });
    expect(found).toEqual({ name, seenAt: null, isOrphaned: true });
    await without.prune(name);
    await expect(flows.schedules.state(name)).rejects.toMatchObject({
      name: 'ScheduleNotFoundError',
    });
  });

  it('keep their schedule when a run of them begins at that moment', async () => {
    const name = uniqueFlow();
    const stack = await start({ flows: [scheduled(name)], worker: false });
    await stack.flows.reconcile();
    await claimRun(stack.flows, name);
    const blind = over(stack, { runs: async () => [] });
    await expect(blind.prune(name)).rejects.toMatchObject({ name: 'FlowNotRemoved' });
    expect(await stack.flows.schedules.state(name)).toMatchObject({ paused: false });
    expect(await stack.flows.catalog.flow(name)).toBeDefined();
  });
});

describe('the cursor of a flow', () => {
  it('is moved by hand, but not while a run is active or of a flow that is not there', async () => {
    const name = uniqueFlow();
    const stack = await start({ flows: [scheduled(name)], worker: false });
    const { flows } = stack;
    expect((await flows.reset(name, { id: 7 })).record.cursor).toEqual({ id: 7 });
    await claimRun(stack.flows, name);
    await expect(flows.reset(name, null)).rejects.toMatchObject({ name: 'FlowActive' });
    await expect(flows.reset('nobody', null)).rejects.toMatchObject({ name: 'FlowNotFound' });
  });
});

describe('the runs of all flows', () => {
  it('are listed newest first, and forgotten but for the latest of each', async () => {
    const [a, b] = [uniqueFlow('a'), uniqueFlow('b')];
    const { flows } = await start({ flows: [scheduled(a), scheduled(b)] });
    for (const name of [a, b, a]) await runToEnd(flows, name);
    const listed = async () =>
      (await flows.latestRuns({ limit: 10 })).map(({ flow, runSeq }) => [flow, runSeq]);
    expect(await listed()).toEqual([
      [a, 2],
      [b, 1],
      [a, 1],
    ]);
    expect(await flows.trim(new Date(Date.now() - 60_000))).toBe(0);
    expect(await flows.trim(new Date(Date.now() + 1_000))).toBe(1);
    expect(await listed()).toEqual([
      [a, 2],
      [b, 1],
    ]);
  });
});
