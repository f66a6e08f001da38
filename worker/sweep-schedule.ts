import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';

/** The id of the schedule that looks for runs whose end nobody was told of. One for each task queue. */
export function sweepScheduleId(taskQueue: string): string {
  return `millrace/sweep/${taskQueue}`;
}

/** Has the sweep run each minute. Does nothing where the schedule exists: an operator may have paused it. */
export async function ensureSweepSchedule(client: Client, taskQueue: string): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: sweepScheduleId(taskQueue),
      spec: { intervals: [{ every: '1m' }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType: 'sweepOutcomes',
        workflowId: sweepScheduleId(taskQueue),
        taskQueue,
        workflowExecutionTimeout: '2m',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
