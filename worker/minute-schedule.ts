import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';

/** A workflow of ours that runs each minute, once for each task queue. */
export interface MinuteSchedule {
  readonly scheduleId: string;
  readonly workflowType: string;
  readonly timeout: '2m' | '5m';
}

/** Looks for runs whose end nobody was told of. */
export function sweepSchedule(taskQueue: string): MinuteSchedule {
  return {
    scheduleId: `millrace/sweep/${taskQueue}`,
    workflowType: 'sweepOutcomes',
    timeout: '2m',
  };
}

/** Brings the catalog of data flows, their runs and their schedules into agreement. */
export function reconcileSchedule(taskQueue: string): MinuteSchedule {
  return {
    scheduleId: `millrace/flows/${taskQueue}`,
    workflowType: 'reconcileDataFlows',
    timeout: '5m',
  };
}

/** Has it run each minute. Does nothing where the schedule exists: an operator may have paused it. */
export async function ensureMinuteSchedule(
  client: Client,
  taskQueue: string,
  { scheduleId, workflowType, timeout }: MinuteSchedule,
): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: '1m' }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType,
        workflowId: scheduleId,
        taskQueue,
        workflowExecutionTimeout: timeout,
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
