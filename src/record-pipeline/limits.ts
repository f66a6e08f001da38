/** What holds where a record pipeline sets nothing. */
export const RECORD_DEFAULTS = {
  concurrency: 5,
  enqueueSeconds: 0.1,
  maxPasses: 10,
  maxErrors: 100,
  bodyTimeoutMs: 10 * 60_000,
  timeoutMs: 7 * 24 * 3_600_000,
} as const;

/** Limits on record pipelines. Each is named in the error that it causes. */
export const RECORD_LIMITS = {
  concurrency: 1_000,
  steps: 100,
  maxErrors: 100_000,
  /** An activity that drains records returns after so many or so much time, whichever comes first. */
  recordsPerActivity: 1_000_000,
  msPerActivity: 10_000,
  /** Bodies that ended wait for others to be written with them: so many, or so long. */
  groupSize: 500,
  groupMs: 10,
  /** How often a body begins again because what it had read was changed meanwhile. */
  restarts: 20,
  /** Activities in a row that Temporal gave up for lost. */
  lostActivities: 20,
  /** Errors that a run's result tells in full; all of them are in the store. */
  errorsShown: 20,
  /** Errors that a script is given at its run's end. */
  errorsReturned: 1_000,
  /** Runs that a store remembers, and those of which it remembers what failed: the newest of them. */
  runsKept: 1_000,
  runsKeptWithFailures: 100,
  /** Most characters that are kept of a message or a stack. */
  errorCharacters: 8_000,
} as const;
