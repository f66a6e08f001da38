/**
 * The state of a run, as the API tells it. `pending`: no worker has taken it yet. `timed_out` covers both the pipeline's
 * own timeout and the server's.
 */
export type ExecutionStatus =
  'pending' | 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';

/** Every status, in the order in which a run can take them. */
export const EXECUTION_STATUSES = [
  'pending',
  'running',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'timed_out',
] as const satisfies readonly ExecutionStatus[];

/** True when nothing will happen in the run any more. */
export function isClosed(status: ExecutionStatus): boolean {
  return status !== 'pending' && status !== 'running';
}
