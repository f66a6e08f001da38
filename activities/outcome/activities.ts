import {
  AFTER_EXECUTE_ACTIVITY,
  POST_WEBHOOK_ACTIVITY,
  SWEEP_ACTIVITY,
  type RunOutcome,
  type WebhookDelivery,
} from '../../src/outcome/outcome.js';
import type { ActivityDependencies } from '../dependencies.js';
import { runAfterExecute } from './after-execute.js';
import { postWebhook } from './post-webhook.js';
import { sweepOutcomes } from './sweep-outcomes.js';

/** The activities around a run's end. */
export interface OutcomeActivities {
  readonly [AFTER_EXECUTE_ACTIVITY]: (outcome: RunOutcome) => Promise<void>;
  readonly [POST_WEBHOOK_ACTIVITY]: (delivery: WebhookDelivery) => Promise<void>;
  /** Returns how many runs were found whose receivers had not been told. */
  readonly [SWEEP_ACTIVITY]: () => Promise<number>;
}

/** Creates the activities around a run's end. */
export function createOutcomeActivities(deps: ActivityDependencies): OutcomeActivities {
  return {
    [AFTER_EXECUTE_ACTIVITY]: (outcome) => runAfterExecute(deps, outcome),
    [POST_WEBHOOK_ACTIVITY]: (delivery) => postWebhook(deps, delivery),
    [SWEEP_ACTIVITY]: () => sweepOutcomes(deps),
  };
}
