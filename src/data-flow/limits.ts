/** What holds where a flow sets nothing. */
export const FLOW_DEFAULTS = {
  batchSize: 200,
  batchTimeoutMs: 5 * 60_000,
  maxRejected: 100,
  timeoutMs: 24 * 3_600_000,
  catchupWindowMs: 3_600_000,
  overlap: 'SKIP',
  /** Half an hour's outage is not bridged, a database that restarts is: 2 + 6 + 18 + 54 seconds. */
  retry: {
    maximumAttempts: 5,
    initialInterval: 2_000,
    backoffCoefficient: 3,
    maximumInterval: 60_000,
  },
} as const;

/** Limits on flows. Each is named in the error that it causes. */
export const FLOW_LIMITS = {
  batchSize: 10_000,
  maxRejected: 1_000_000,
  /** An activity that moves batches returns after so many rows or so much time, whichever comes first. */
  rowsPerActivity: 200_000,
  msPerActivity: 10_000,
  /** Most bytes of a cursor: it is written with every batch. */
  cursorBytes: 64 * 1024,
  /** Most bytes of a rejected row that are kept. */
  rejectedRowBytes: 64 * 1024,
  /** Most characters of the reason that are kept with it. */
  rejectionReasonCharacters: 4_000,
  /** Most characters of a note on why a flow is paused. */
  noteCharacters: 1_000,
  /** Activities in a row that Temporal gave up for lost, without any of them getting further. */
  lostActivities: 20,
} as const;
