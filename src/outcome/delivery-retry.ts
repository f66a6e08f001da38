/** How a webhook delivery is tried again: soon at first, then hourly, until a day has passed. */
export const DELIVERY_RETRY = {
  attemptTimeoutMs: 30_000,
  initialIntervalMs: 5_000,
  backoffCoefficient: 2,
  maximumIntervalMs: 3_600_000,
  /** The longest that any project may ask for (`webhooks.maxAge`). */
  longestMs: 7 * 24 * 3_600_000,
} as const;
