import type { ActivityDependencies } from './dependencies.js';
import { createPipelineActivities, type PipelineActivities } from './pipeline/activities.js';

/** Everything that a worker can run. */
export type Activities = PipelineActivities;

/** Creates all activities of a worker. */
export function createActivities(deps: ActivityDependencies): Activities {
  return createPipelineActivities(deps);
}
