import type { MoveOutcome } from './run.js';

/** How far a run of a flow is, as heartbeats carry it and events tell it. */
export function progressData({
  counts,
  fraction,
  rowsPerSecond,
}: MoveOutcome): Readonly<Record<string, number>> {
  const { batches, read, written, rejected } = counts;
  return {
    batches,
    rows_read: read,
    rows_written: written,
    rows_rejected: rejected,
    rows_per_second: rowsPerSecond,
    ...(fraction !== undefined && { fraction }),
  };
}

/** True for the last heartbeat of an attempt that has moved a batch: only then it carries {@link progressData}. */
export function hasMoved(heartbeat: unknown): boolean {
  if (typeof heartbeat !== 'object' || heartbeat === null || !('progress' in heartbeat))
    return false;
  const { progress } = heartbeat;
  return typeof progress === 'object' && progress !== null && 'rows_read' in progress;
}
