import { describe, expect, it, jest } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { FlowSchedules } from '../../../engine/data-flow/flow-schedules.js';
import { defineDataFlow } from '../../../src/data-flow/data-flow.js';
import { useFlowStack } from '../../support/flow-stack.js';
import { endOf, runToEnd, uniqueFlow } from '../../support/flows.js';
import { useTemporal } from '../../support/temporal.js';
import { until } from '../../support/until.js';

jest.setTimeout(60_000);

const temporal = useTemporal();
const start = useFlowStack(temporal);

/** Far away, so that nothing starts by itself. */
const YEARLY = { cron: '0 0 1 1 *' } as const;

/** A flow, and one with a cron that comes after it. */
function pair() {
  const [first, report] = [uniqueFlow('first'), uniqueFlow('report')];
  const flows = [
    defineDataFlow({ name: first, run: () => undefined }),
    defineDataFlow({ name: report, schedule: YEARLY, after: [first], run: () => undefined }),
  ];
  return { first, report, flows };
}

describe('a flow with a cron that comes after another', () => {
  it('is started by nothing while it is paused, and by the end of the other when it is resumed', async () => {
    const { first, report, flows: definitions } = pair();
    const { flows } = await start({ flows: definitions });
    await flows.pause(report, 'inventory');
    await runToEnd(flows, first);
    expect(await flows.reconciliation.followers(first, new Date())).toEqual([]);
    await flows.reconcile();
    await delay(1_000);
    expect(await flows.runs(report, { limit: 5 })).toEqual([]);
    await flows.resume(report, 'done');
    expect(await flows.reconciliation.followers(first, new Date())).toEqual([`flow/${report}/1`]);
    const [run] = await flows.runs(report, { limit: 5 });
    expect(await endOf(flows, run!)).toMatchObject({ trigger: 'after', status: 'success' });
  });

  it('is started by hand while it is paused', async () => {
    const { report, flows: definitions } = pair();
    const { flows } = await start({ flows: definitions });
    await flows.pause(report, 'inventory');
    expect(await runToEnd(flows, report)).toMatchObject({ trigger: 'manual', status: 'success' });
  });

  it('is started by the end of the other where no worker has made its schedule yet', async () => {
    const { first, report, flows: definitions } = pair();
    const { flows } = await start({ flows: definitions });
    await runToEnd(flows, first);
    const run = await until(async () => (await flows.runs(report, { limit: 1 }))[0], 20_000);
    expect(await endOf(flows, run)).toMatchObject({ trigger: 'after', status: 'success' });
  });
});

describe('a schedule that is brought up to date', () => {
  /** A client with which somebody pauses a schedule as soon as it was looked at. */
  function pausing(): Client {
    const { client } = temporal;
    let looked = false;
    const getHandle = (id: string) => {
      const handle = client.schedule.getHandle(id);
      return {
        ...handle,
        describe: async () => {
          const found = await handle.describe();
          if (!looked) await handle.pause('the warehouse moves');
          looked = true;
          return found;
        },
      };
    };
    const schedule = Object.create(client.schedule, { getHandle: { value: getHandle } }) as never;
    return Object.create(client, { schedule: { value: schedule } }) as Client;
  }

  it('stays paused when an operator pauses it meanwhile', async () => {
    const name = uniqueFlow();
    const definition = defineDataFlow({ name, schedule: { every: '5m' }, run: () => undefined });
    const { flows, project } = await start({ flows: [definition], worker: false });
    await flows.schedule(name);
    const { record, definition: compiled } = await flows.show(name);
    const schedules = new FlowSchedules(pausing(), project.config.asyncQueue);
    expect(await schedules.sync(compiled!, { ...record, runInterval: 60 })).toBe('updated');
    expect(await flows.schedules.state(name)).toMatchObject({
      paused: true,
      note: 'the warehouse moves',
    });
  });
});
