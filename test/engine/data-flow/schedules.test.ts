import { describe, expect, it } from '@jest/globals';
import type { ScheduleHandle } from '@temporalio/client';
import { z } from 'zod';
import { defineDataFlow, type DataFlow } from '../../../src/data-flow/data-flow.js';
import type { FlowRunRecord } from '../../../src/data-flow/catalog.js';
import type { DataFlows } from '../../../engine/data-flow/data-flows.js';
import type { Row } from '../../../src/data-flow/row.js';
import type { FlowSchedule, OverlapPolicy } from '../../../src/data-flow/schedule.js';
import {
  endOf,
  listSink,
  listSource,
  numbered,
  runToEnd,
  uniqueFlow,
  useFlows,
  type RunningFlows,
} from '../../support/flows.js';
import { gate } from '../../support/gate.js';
import { until } from '../../support/until.js';

const start = useFlows();

/** Far away, so that nothing starts by itself. */
const YEARLY = { cron: '0 0 1 1 *' } as const;

function flow(
  name: string,
  schedule: FlowSchedule,
  more: Partial<{ enabled: boolean; description: string }> = {},
): DataFlow {
  return defineDataFlow({
    name,
    schedule,
    ...more,
    source: listSource(() => numbered(3)),
    sink: listSink([]),
  });
}

function handleOf({ env }: RunningFlows, name: string): ScheduleHandle {
  return env.engine.temporal.client.schedule.getHandle(`millrace/flow/${name}`);
}

async function firstRun(flows: DataFlows, name: string, trigger: string): Promise<FlowRunRecord> {
  return until(async () =>
    (await flows.runs(name, { limit: 10 })).find((run) => run.trigger === trigger),
  );
}

describe('the schedule of a flow', () => {
  it("is a Temporal Schedule with the definition's times, and has a next time ten times over", async () => {
    const name = uniqueFlow();
    const running = await start([flow(name, { cron: '30 4 * * *', timezone: 'Europe/Berlin' })]);
    const { next, paused, note } = await running.flows.schedule(name);
    expect({ paused, note }).toEqual({ paused: false, note: '' });
    expect(next).toHaveLength(10);
    const hours = new Intl.DateTimeFormat('de', { timeZone: 'Europe/Berlin', timeStyle: 'short' });
    expect(new Set(next.map((time) => hours.format(time)))).toEqual(new Set(['04:30']));
    const { action, policies } = await handleOf(running, name).describe();
    expect(action).toMatchObject({ workflowType: 'triggerDataFlow', args: [name] });
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 3_600_000 });
  });

  it('keeps the local time over a change to daylight saving time and back', async () => {
    const name = uniqueFlow();
    const running = await start([flow(name, { cron: '30 2 * * *', timezone: 'Europe/Berlin' })]);
    await running.flows.schedule(name);
    const { client, namespace } = running.engine.temporal;
    const times = async (from: string, to: string): Promise<readonly string[]> => {
      const seconds = (text: string) => ({ seconds: Date.parse(text) / 1_000 }) as never;
      const { startTime } = await client.workflowService.listScheduleMatchingTimes({
        namespace,
        scheduleId: `millrace/flow/${name}`,
        startTime: seconds(from),
        endTime: seconds(to),
      });
      return startTime.map(({ seconds: at }) => new Date(Number(at) * 1_000).toISOString());
    };
    // On 2026-03-29 there is no 02:30 in Berlin; on 2026-10-25 there are two, of which Temporal takes the second.
    const spring = await times('2026-03-28T00:00:00Z', '2026-03-31T00:00:00Z');
    expect(spring).toEqual(['2026-03-28T01:30:00.000Z', '2026-03-30T00:30:00.000Z']);
    const autumn = await times('2026-10-24T00:00:00Z', '2026-10-27T00:00:00Z');
    expect(autumn).toEqual([
      '2026-10-24T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  it('starts a run that is told as scheduled, with the time that it was started for', async () => {
    const name = uniqueFlow();
    const running = await start([flow(name, YEARLY)]);
    await running.flows.schedule(name);
    await handleOf(running, name).trigger();
    const run = await endOf(running.flows, await firstRun(running.flows, name, 'schedule'));
    expect(run).toMatchObject({
      status: 'success',
      runSeq: 1,
      workflowId: `flow/${name}/1`,
      counts: { read: 3 },
    });
    expect(Date.now() - run.scheduledAt!.getTime()).toBeLessThan(60_000);
  });

  it('is updated when the definition changes, and left alone when nothing has changed', async () => {
    const name = uniqueFlow();
    const running = await start([flow(name, { every: '5m' })]);
    const { record, definition } = await running.flows.show(name);
    const { schedules } = running.flows;
    expect(await schedules.sync(definition!, record)).toBe('created');
    expect(await schedules.sync(definition!, record)).toBe('unchanged');
    const changed = {
      ...definition!,
      schedule: { kind: 'cron', cron: '0 5 * * *', timezone: 'UTC' },
    } as const;
    expect(await schedules.sync(changed, { ...record, runInterval: null })).toBe('updated');
    expect(await schedules.sync(changed, { ...record, runInterval: null })).toBe('unchanged');
    const { spec } = await handleOf(running, name).describe();
    expect(spec.calendars).toMatchObject([{ hour: [{ start: 5, end: 5 }] }]);
    expect(spec.intervals).toEqual([]);
  });

  it("keeps an operator's pause and note over an update", async () => {
    const name = uniqueFlow();
    const running = await start([flow(name, { every: '5m' })]);
    await running.flows.schedule(name);
    await handleOf(running, name).pause('the warehouse moves');
    const { record, definition } = await running.flows.show(name);
    expect(await running.flows.schedules.sync(definition!, { ...record, runInterval: 60 })).toBe(
      'updated',
    );
    expect(await running.flows.schedule(name)).toMatchObject({
      paused: true,
      note: 'the warehouse moves',
    });
  });

  it('follows what an operator changes in the catalog: the interval, and whether it is enabled', async () => {
    const name = uniqueFlow();
    const running = await start([flow(name, { every: '5m' })]);
    await running.flows.change(name, { run_interval: 90, enabled: false });
    const described = await handleOf(running, name).describe();
    expect(described.spec.intervals).toMatchObject([{ every: 90_000 }]);
    expect(described.state).toMatchObject({
      paused: true,
      note: expect.stringContaining('disabled'),
    });
    await running.flows.change(name, { enabled: true });
    expect(await running.flows.schedule(name)).toMatchObject({ paused: false, note: '' });
  });

  it('keeps what an operator has written of it while the flow is disabled', async () => {
    const name = uniqueFlow();
    const { flows } = await start([flow(name, { every: '5m' })]);
    await flows.schedule(name);
    await flows.resume(name, 'watch the first night');
    for (const enabled of [false, false]) await flows.change(name, { enabled });
    expect(await flows.schedule(name)).toMatchObject({
      paused: true,
      note: 'Millrace: the flow is disabled (enabled: false). Noted before: watch the first night',
    });
    await flows.change(name, { enabled: true });
    expect(await flows.schedule(name)).toMatchObject({
      paused: false,
      note: 'watch the first night',
    });
  });

  it('pauses and resumes', async () => {
    const name = uniqueFlow();
    const { flows } = await start([flow(name, { every: '5m' })]);
    await flows.pause(name, 'inventory');
    expect(await flows.schedule(name)).toMatchObject({ paused: true, note: 'inventory' });
    await flows.resume(name, 'done');
    expect(await flows.schedule(name)).toMatchObject({ paused: false, note: 'done' });
  });

  it('is not there for a flow that has no times, which has the note of its pause itself', async () => {
    const name = uniqueFlow();
    const { flows } = await start([flow(name, { heartbeat: { every: '5m' } })]);
    await expect(flows.schedule(name)).rejects.toMatchObject({ name: 'FlowNotScheduled' });
    await flows.pause(name, 'inventory');
    expect((await flows.show(name)).record).toMatchObject({ enabled: false, note: 'inventory' });
    await flows.resume(name, 'done');
    expect((await flows.show(name)).record).toMatchObject({ enabled: true, note: null });
  });

  it('runs a range of times again, one after the other, each told as a backfill', async () => {
    const name = uniqueFlow();
    const seen: (Date | undefined)[] = [];
    const daily = defineDataFlow({
      name,
      schedule: { cron: '0 6 * * *' },
      run: ({ scheduledAt }) => {
        seen.push(scheduledAt);
      },
    });
    const { flows } = await start([daily]);
    await flows.backfill(name, { start: '2026-06-01T00:00:00Z', end: '2026-06-03T23:00:00Z' });
    await until(
      async () =>
        (await flows.runs(name, { limit: 10 })).filter(({ endedAt }) => endedAt !== null).length ===
        3
          ? true
          : undefined,
      25_000,
    );
    expect(seen.map((time) => time?.toISOString())).toEqual([
      '2026-06-01T06:00:00.000Z',
      '2026-06-02T06:00:00.000Z',
      '2026-06-03T06:00:00.000Z',
    ]);
    expect(
      (await flows.runs(name, { limit: 10 })).map(({ trigger, status }) => [trigger, status]),
    ).toEqual(Array(3).fill(['backfill', 'success']));
  });
});

describe('a scheduled time at which a run goes on', () => {
  /** A flow whose first run goes on until it is let go. */
  async function busy(overlap: OverlapPolicy): Promise<
    RunningFlows & {
      readonly name: string;
      readonly active: FlowRunRecord;
      readonly letGo: () => void;
    }
  > {
    const name = uniqueFlow();
    const { open: letGo, pass } = gate();
    const written: Row[] = [];
    const running = await start([
      defineDataFlow({
        name,
        schedule: YEARLY,
        overlap,
        source: listSource(
          () => numbered(2),
          (_from, signal) => pass(signal),
        ),
        sink: listSink(written),
      }),
    ]);
    const active = await running.flows.run(name);
    await until(async () =>
      (await running.flows.findRun(name, active.id)).status === 'in_progress' ? true : undefined,
    );
    await running.flows.schedule(name);
    await handleOf(running, name).trigger();
    return { ...running, name, active, letGo };
  }

  it('is skipped with SKIP, also when no schedule has started that run', async () => {
    const { flows, name, active, letGo, engine } = await busy('SKIP');
    const trigger = await until(async () => {
      for await (const found of engine.temporal.client.workflow.list({
        query: `WorkflowType = 'triggerDataFlow' AND WorkflowId STARTS_WITH 'flow-trigger/${name}'`,
      }))
        if (found.status.name === 'COMPLETED') return found;
      return undefined;
    }, 15_000);
    expect(await engine.temporal.client.workflow.getHandle(trigger.workflowId).result()).toEqual({
      skipped: 'run 1 is in_progress',
    });
    letGo();
    await endOf(flows, active);
    expect(await flows.runs(name, { limit: 10 })).toHaveLength(1);
  });

  it('waits for its end with BUFFER_ONE', async () => {
    const { flows, name, active, letGo } = await busy('BUFFER_ONE');
    letGo();
    await endOf(flows, active);
    const next = await firstRun(flows, name, 'schedule');
    expect(await endOf(flows, next)).toMatchObject({ runSeq: 2, status: 'success' });
  });

  it('cancels it with CANCEL_OTHER', async () => {
    const { flows, name, active, letGo } = await busy('CANCEL_OTHER');
    expect(await endOf(flows, active)).toMatchObject({ status: 'cancelled' });
    letGo();
    expect(await endOf(flows, await firstRun(flows, name, 'schedule'))).toMatchObject({
      status: 'success',
    });
  });

  it('terminates it with TERMINATE_OTHER', async () => {
    const { flows, name, active, letGo } = await busy('TERMINATE_OTHER');
    expect(await endOf(flows, active)).toMatchObject({
      status: 'failed',
      errorMessage: 'The run was terminated.',
    });
    letGo();
    expect(await endOf(flows, await firstRun(flows, name, 'schedule'))).toMatchObject({
      status: 'success',
    });
  });
});

describe('a scheduled time of a flow that cannot run', () => {
  it('is skipped with the reason, and no run is made of it', async () => {
    const name = uniqueFlow();
    const running = await start([
      defineDataFlow({
        name,
        schedule: YEARLY,
        configuration: z.object({ path: z.string() }),
        source: ({ configuration }) => listSource(() => [{ path: configuration.path }]),
        sink: listSink([]),
      }),
    ]);
    await running.flows.schedule(name);
    await handleOf(running, name).trigger();
    const [action] = await until(async () => {
      const { info } = await handleOf(running, name).describe();
      return info.recentActions.length > 0 && info.runningActions.length === 0
        ? info.recentActions
        : undefined;
    }, 15_000);
    const { workflowId } = action!.action.workflow;
    expect(await running.engine.temporal.client.workflow.getHandle(workflowId).result()).toEqual({
      skipped: 'the configuration does not fit its schema',
    });
    expect(await running.flows.runs(name, { limit: 5 })).toEqual([]);
    await running.flows.change(name, { configuration: { path: 'now it does' } });
    expect(await runToEnd(running.flows, name)).toMatchObject({ status: 'success' });
  });
});
