import { describe, expect, it, jest } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataFlows } from '../../../engine/data-flow/data-flows.js';
import type { FlowRunRecord } from '../../../src/data-flow/catalog.js';
import { defineDataFlow, type DataFlow } from '../../../src/data-flow/data-flow.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { useFlowStack } from '../../support/flow-stack.js';
import { claimRun, runToEnd, uniqueFlow } from '../../support/flows.js';
import { gate } from '../../support/gate.js';
import { useTemporal } from '../../support/temporal.js';
import { until } from '../../support/until.js';

jest.setTimeout(60_000);

const temporal = useTemporal();
const start = useFlowStack(temporal);

function flow(
  name: string,
  run: () => Promise<void> | void = () => undefined,
  after: readonly string[] = [],
): DataFlow {
  return defineDataFlow({ name, run, after });
}

async function ended(flows: DataFlows, name: string): Promise<readonly FlowRunRecord[]> {
  return (await flows.runs(name, { limit: 100 })).filter(({ endedAt }) => endedAt !== null);
}

async function untilEnded(flows: DataFlows, name: string, count: number) {
  return until(async () => {
    const runs = await ended(flows, name);
    return runs.length >= count ? runs : undefined;
  }, 20_000);
}

/** Long enough for what should not come to come. */
const QUIET_MS = 1_000;

describe('a flow that comes after others', () => {
  it('starts once per round, when each of them has succeeded, and at no failure', async () => {
    const [a, b, last] = [uniqueFlow('a'), uniqueFlow('b'), uniqueFlow('last')];
    let fails = false;
    const { flows } = await start({
      flows: [
        flow(a, () => {
          if (fails) throw permanent('not today');
        }),
        flow(b),
        flow(last, undefined, [a, b]),
      ],
    });
    await runToEnd(flows, a);
    await runToEnd(flows, a);
    await delay(QUIET_MS);
    expect(await flows.runs(last, { limit: 5 })).toEqual([]);
    await runToEnd(flows, b);
    expect(await untilEnded(flows, last, 1)).toMatchObject([
      { trigger: 'after', status: 'success' },
    ]);
    await runToEnd(flows, b);
    fails = true;
    expect(await runToEnd(flows, a)).toMatchObject({ status: 'failed' });
    await delay(QUIET_MS);
    expect(await flows.runs(last, { limit: 5 })).toHaveLength(1);
    fails = false;
    await runToEnd(flows, a);
    await untilEnded(flows, last, 2);
    await delay(QUIET_MS);
    expect(await flows.runs(last, { limit: 5 })).toHaveLength(2);
  });

  it('starts once when all of them end at the same time, in two processes', async () => {
    const others = Array.from({ length: 10 }, (_, at) => uniqueFlow(`o${String(at)}`));
    const last = uniqueFlow('last');
    const together = gate();
    const all = [...others.map((name) => flow(name, together.pass)), flow(last, undefined, others)];
    const stack = await start({ flows: all });
    const beside = await start({ flows: all, beside: stack });
    for (const name of others) await stack.flows.run(name);
    await until(async () => {
      const runs = await Promise.all(others.map((name) => stack.flows.runs(name, { limit: 1 })));
      return runs.every(([run]) => run?.status === 'in_progress') ? true : undefined;
    }, 20_000);
    together.open();
    // Ten ends, and ten more processes that look for followers at the same time.
    const looking = Array.from({ length: 10 }, (_, at) =>
      (at % 2 === 0 ? stack : beside).flows.reconciliation.followers(others[at]!, new Date()),
    );
    await Promise.all(looking);
    await untilEnded(stack.flows, last, 1);
    await Promise.all(
      others.map((name) => beside.flows.reconciliation.followers(name, new Date())),
    );
    await delay(QUIET_MS);
    expect(await stack.flows.runs(last, { limit: 5 })).toHaveLength(1);
  });

  it('that is active itself at that moment starts after its own end', async () => {
    const [first, last] = [uniqueFlow('first'), uniqueFlow('last')];
    const busy = gate();
    let runs = 0;
    const { flows } = await start({
      flows: [
        flow(first),
        flow(last, () => {
          runs += 1;
          return runs === 1 ? busy.pass() : undefined;
        }, [first]),
      ],
    });
    await flows.run(last);
    await busy.reached;
    await runToEnd(flows, first);
    await delay(QUIET_MS);
    expect(await flows.runs(last, { limit: 5 })).toHaveLength(1);
    busy.open();
    const [second, own] = await untilEnded(flows, last, 2);
    expect([own!.trigger, second!.trigger]).toEqual(['manual', 'after']);
    // Its own end does not start it once more.
    await delay(QUIET_MS);
    expect(await flows.runs(last, { limit: 5 })).toHaveLength(2);
  });

  it('that was started by hand waits for the next round', async () => {
    const [first, last] = [uniqueFlow('first'), uniqueFlow('last')];
    const { flows } = await start({ flows: [flow(first), flow(last, undefined, [first])] });
    await runToEnd(flows, first);
    await untilEnded(flows, last, 1);
    for (let round = 0; round < 3; round += 1) await runToEnd(flows, last);
    await delay(QUIET_MS);
    expect(await flows.runs(last, { limit: 10 })).toHaveLength(4);
    await runToEnd(flows, first);
    await untilEnded(flows, last, 5);
  });

  it('follows along a chain, each of its flows once', async () => {
    const names = ['a', 'b', 'c'].map((name) => uniqueFlow(name));
    const { flows } = await start({
      flows: names.map((name, at) => flow(name, undefined, at === 0 ? [] : [names[at - 1]!])),
    });
    await runToEnd(flows, names[0]!);
    await untilEnded(flows, names[2]!, 1);
    await delay(QUIET_MS);
    const counts = await Promise.all(
      names.map(async (name) => (await flows.runs(name, { limit: 5 })).length),
    );
    expect(counts).toEqual([1, 1, 1]);
  });

  it('is started by the next reconciliation where its start was lost', async () => {
    const [first, last] = [uniqueFlow('first'), uniqueFlow('last')];
    const { flows } = await start({ flows: [flow(first), flow(last, undefined, [first])] });
    await flows.reconciliation.declare(new Date());
    // A worker has recorded the end, and died before it looked for followers.
    const run = await claimRun(flows, first);
    await flows.catalog.end(run, { status: 'success', now: new Date() });
    const reports = await Promise.all([flows.reconcile(), flows.reconcile()]);
    expect(reports.flatMap(({ started }) => started)).toEqual([`flow/${last}/1`]);
    await untilEnded(flows, last, 1);
  });
});
