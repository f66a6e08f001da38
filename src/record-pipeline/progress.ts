import type { DrainOutcome } from './plan.js';

/** How far a run of a record pipeline is, as heartbeats carry it and events tell it. */
export function recordProgress({
  counts,
  queues,
  recordsPerSecond,
}: DrainOutcome): Readonly<Record<string, number | string>> {
  const [label = '', left = 0] = Object.entries(queues)[0] ?? [];
  const { completed, failed } = counts;
  return {
    completed,
    failed,
    // What is left now; steps make work for each other.
    total: completed + failed + left,
    step: label,
    records_left: left,
    records_per_second: recordsPerSecond,
  };
}
