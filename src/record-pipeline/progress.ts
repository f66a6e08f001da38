import type { JsonObject } from '../definition/json.js';
import type { DrainOutcome } from './plan.js';

/** How far a run of a record pipeline is, as heartbeats carry it and events tell it. */
export function recordProgress({
  step,
  counts,
  queues,
  recordsPerSecond,
}: DrainOutcome): JsonObject {
  const { completed, failed } = counts;
  const left = Object.values(queues).reduce((sum, queue) => sum + queue, 0);
  return {
    ...(step !== undefined && { step }),
    completed,
    failed,
    // What is left now; steps make work for each other.
    total: completed + failed + left,
    records_left: left,
    queues,
    records_per_second: recordsPerSecond,
    eta_seconds: recordsPerSecond > 0 ? Math.round((left / recordsPerSecond) * 10) / 10 : null,
  };
}
