import type { ActivityDependencies } from './dependencies.js';
import { createOutcomeActivities, type OutcomeActivities } from './outcome/activities.js';
import { createPipelineActivities, type PipelineActivities } from './pipeline/activities.js';

/** Everything that a worker can run. */
export type Activities = PipelineActivities & OutcomeActivities;

/** Creates all activities of a worker. */
export function createActivities(deps: ActivityDependencies): Activities {
  return { ...createOutcomeActivities(deps), ...createPipelineActivities(deps) };
}
