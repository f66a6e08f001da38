/** What holds where a template sets nothing. */
export const TASK_DEFAULTS = {
  namespace: 'default',
  version: '1.0.0',
  maxDurationMs: 24 * 60 * 60_000,
  retry: { maximumAttempts: 3, backoff: 'exponential', baseMs: 1_000, maximumMs: 30_000 },
  batch: { size: 1_000, parallelism: 10, failureStrategy: 'continue_on_failure' },
  /** How long somebody is waited for. */
  approvalMs: 24 * 60 * 60_000,
} as const;

/** Bounds of templates and of their runs. Each is named in the error that it causes. */
export const TASK_LIMITS = {
  steps: 200,
  /** Decisions on the way to a step. */
  decisionDepth: 3,
  attempts: 100,
  /** Events that one step publishes. */
  events: 20,
  /** Ranges of one batchable step. */
  ranges: 1_000,
  /** Workers of one batch that run at once. */
  parallelism: 100,
  /** Steps of a task that run at once. Temporal takes 2,000. */
  stepsAtOnce: 500,
} as const;
