import { describe, expect, it, jest } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { defineDataFlow } from '../../../src/data-flow/data-flow.js';
import type { Row } from '../../../src/data-flow/row.js';
import { parseEventId } from '../../../src/progress/run-event.js';
import { useContinuingTemporal } from '../../support/continuing-temporal.js';
import { useFlowStack } from '../../support/flow-stack.js';
import { endOf, listSink, listSource, numbered, uniqueFlow } from '../../support/flows.js';

jest.setTimeout(60_000);

const EVENTS = 9;
/** What one activity moves at most, see FLOW_LIMITS. */
const PER_ACTIVITY = 200_000;

const temporal = useContinuingTemporal(EVENTS);
const start = useFlowStack(temporal);

interface Told {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: unknown;
}

/** The runs of a chain, the last one first. */
async function chainOf(workflowId: string): Promise<number> {
  let runs = 0;
  for await (const { workflowId: found } of temporal.client.workflow.list({
    query: `WorkflowId = '${workflowId}'`,
  }))
    if (found === workflowId) runs += 1;
  return runs;
}

describe('a run whose history gets long', () => {
  it('continues as new with its plan and position; its events stay in order, and complete', async () => {
    const name = uniqueFlow();
    const rows = numbered(PER_ACTIVITY * 3 + 10);
    const written: Row[] = [];
    const plans = { asked: 0 };
    const { flows, engine } = await start({
      flows: [
        defineDataFlow({
          name,
          batchSize: 10_000,
          source: listSource(() => rows),
          sink: () => {
            plans.asked += 1;
            return listSink(written);
          },
        }),
      ],
    });
    const run = await flows.run(name);
    const watched = engine.runWithId({ kind: 'flow', name, executionId: String(run.runSeq) });
    const told: Told[] = [];
    for await (const { id, type, data } of watched.events()) told.push({ id, type, data });
    const ended = await endOf(flows, run);
    expect(ended).toMatchObject({
      status: 'success',
      lastCursor: rows.length,
      counts: { read: rows.length, written: rows.length },
    });
    expect(written.length).toBe(rows.length);
    expect(written.every(({ number }, at) => number === at + 1)).toBe(true);
    expect(await chainOf(run.workflowId)).toBeGreaterThanOrEqual(3);
    // One that continues as new is still the catalog's.
    expect(await flows.starter.workflowStatus(run)).toBe('COMPLETED');

    // Those without an id are shown while they are news; only the others are kept.
    const kept = told.filter(({ id }) => id !== undefined && id !== '');
    expect(kept.map(({ type }) => type)).toEqual([
      'flow_started',
      ...Array.from({ length: 4 }, () => 'flow_progress'),
      'complete',
    ]);
    const read = kept.flatMap(({ data }) => {
      const { rows_read: count } = data as { readonly rows_read?: number };
      return count === undefined ? [] : [count];
    });
    expect(read).toEqual([200_000, 400_000, 600_000, 600_010]);
    expect(new Set(kept.map(({ id }) => id)).size).toBe(kept.length);
    expect(kept.at(-1)?.data).toMatchObject({ result: { rows_read: 600_010 } });

    const after: Told[] = [];
    for await (const { id, type, data } of watched.events()) after.push({ id, type, data });
    expect(after).toEqual(kept);
    const resumed: Told[] = [];
    for await (const { id, type, data } of watched.events({ after: parseEventId(kept[2]!.id!) }))
      resumed.push({ id, type, data });
    expect(resumed).toEqual(kept.slice(3));
  });

  it('while it waits for its code continues as new, too, and goes on when the code is there', async () => {
    const name = uniqueFlow();
    const written: Row[] = [];
    const flow = defineDataFlow({
      name,
      source: listSource(() => numbered(3)),
      sink: listSink(written),
    });
    const stack = await start({ flows: [flow] });
    const { worker, project, flows } = stack;
    await flows.reconciliation.declare(new Date());
    worker!.code.replace({ ...project.registry, dataFlows: new Map() }, new Map());
    const run = await flows.run(name);
    await delay(4_000);
    expect(await chainOf(run.workflowId)).toBeGreaterThanOrEqual(2);
    expect(await flows.starter.workflowStatus(run)).toBe('RUNNING');
    worker!.code.replace(project.registry, new Map());
    expect(await endOf(flows, run)).toMatchObject({ status: 'success', counts: { read: 3 } });
    expect(written).toHaveLength(3);
  });

  it('is cancelled and timed out as one, wherever in its chain', async () => {
    const [cancelled, late] = [uniqueFlow(), uniqueFlow()];
    const rows = numbered(3_000_000);
    const slow = (name: string, more: { timeout?: '5s' } = {}) =>
      defineDataFlow({
        name,
        batchSize: 10_000,
        ...more,
        source: listSource(
          () => rows,
          (_from, signal) => delay(30, undefined, { signal }).catch(() => undefined),
        ),
        sink: listSink([]),
      });
    const { flows } = await start({ flows: [slow(cancelled), slow(late, { timeout: '5s' })] });
    const run = await flows.run(cancelled);
    const other = await flows.run(late);
    await delay(3_000);
    expect(await chainOf(run.workflowId)).toBeGreaterThanOrEqual(2);
    await flows.cancel(cancelled, run.id);
    expect(await endOf(flows, run)).toMatchObject({ status: 'cancelled' });
    expect(await endOf(flows, other)).toMatchObject({
      status: 'failed',
      errorMessage: expect.stringContaining('timeout of 5000 ms'),
    });
    const tookMs =
      (await flows.findRun(late, other.id)).endedAt!.getTime() - other.createdAt.getTime();
    expect(tookMs).toBeLessThan(10_000);
  });
});
