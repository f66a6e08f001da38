/** Temporal ends a run that its own workflow code did not end so long after the definition's timeout, in milliseconds. */
export const TIMEOUT_MARGIN_MS = 60_000;

/** The part of a hand-written workflow's memo that pins its timeout; a pipeline's is in its plan. Milliseconds. */
export interface TimeoutMemo {
  readonly timeoutMs?: number;
}

/** The timeout that a run was started with, from its memo. Undefined for one that was started without the engine. */
export function timeoutOf(memo: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const timeoutMs = memo?.['timeoutMs'];
  return typeof timeoutMs === 'number' && timeoutMs > 0 ? timeoutMs : undefined;
}

/** What Temporal shows for the timer of a run's timeout. */
export const TIMEOUT_SUMMARY = 'timeout';
