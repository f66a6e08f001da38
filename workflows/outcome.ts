import { log, proxyActivities, setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import type { OutcomeActivities } from '../activities/outcome/activities.js';
import { DELIVERY_RETRY } from '../src/outcome/delivery-retry.js';
import {
  AFTER_EXECUTE_ACTIVITY,
  AFTER_EXECUTE_ATTEMPTS,
  POST_WEBHOOK_ACTIVITY,
  SWEEP_ACTIVITY,
  type OutcomeReceivers,
  type RunOutcome,
} from '../src/outcome/outcome.js';
import { onTheCurrentBuild } from './current-build.js';

const { [AFTER_EXECUTE_ACTIVITY]: runAfterExecute } = proxyActivities<OutcomeActivities>({
  startToCloseTimeout: '30s',
  retry: { maximumAttempts: AFTER_EXECUTE_ATTEMPTS },
});

const { [POST_WEBHOOK_ACTIVITY]: postWebhook } = proxyActivities<OutcomeActivities>({
  startToCloseTimeout: DELIVERY_RETRY.attemptTimeoutMs,
  scheduleToCloseTimeout: DELIVERY_RETRY.longestMs,
  retry: {
    initialInterval: DELIVERY_RETRY.initialIntervalMs,
    backoffCoefficient: DELIVERY_RETRY.backoffCoefficient,
    maximumInterval: DELIVERY_RETRY.maximumIntervalMs,
  },
});

const { [SWEEP_ACTIVITY]: sweep } = proxyActivities<OutcomeActivities>({
  startToCloseTimeout: '50s',
  retry: { maximumAttempts: 2 },
});

/** Tells the receivers of a run's end. A webhook's deliveries go on for a day, long after the run. */
export async function deliverOutcome(
  told: RunOutcome,
  { webhookUrl, afterExecute: hook }: OutcomeReceivers,
): Promise<void> {
  const outcome = { ...told, completedAt: endOf(told) };
  const called = hook === true ? callAfterExecute(outcome) : undefined;
  if (webhookUrl !== undefined) await postWebhook({ url: webhookUrl, outcome });
  await called;
}

/**
 * When the run ended. It cannot tell itself: its clock stands still while quick operations run. The last thing that it does
 * is to start this workflow, when the server's clock is looked at again. The sweep comes later, and has asked Temporal.
 */
function endOf({ completedAt }: RunOutcome): number {
  const { parent, startTime } = workflowInfo();
  return parent === undefined ? completedAt : Math.max(completedAt, startTime.getTime());
}

/** Calls the project's `afterExecute`, several times where it throws. Its failure keeps no webhook from being sent. */
async function callAfterExecute(outcome: RunOutcome): Promise<void> {
  try {
    await runAfterExecute(outcome);
  } catch (error) {
    log.error('afterExecute did not end', { run: outcome.workflowId, error: String(error) });
  }
}

/** Looks for runs that Temporal ended without their workflow code, and has their receivers told. Scheduled each minute. */
export async function sweepOutcomes(): Promise<number> {
  return sweep();
}

setWorkflowOptions(onTheCurrentBuild, deliverOutcome);
setWorkflowOptions(onTheCurrentBuild, sweepOutcomes);
