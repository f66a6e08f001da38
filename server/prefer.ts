/** What a client prefers, as far as we follow it (RFC 7240). */
export interface Preferences {
  /** Longest wait for the result, in seconds. */
  readonly waitS?: number;
  /** The client would rather be answered at once. */
  readonly respondAsync: boolean;
}

/** Reads a `Prefer` header. What is not understood is left out, as the RFC has it; of repetitions the first counts. */
export function parsePrefer(header: string): Preferences {
  const preferences = header.split(',').map((preference) => preference.split(';')[0]?.trim() ?? '');
  const wait = preferences
    .map((text) => /^wait\s*=\s*"?(\d{1,9})"?$/i.exec(text)?.[1])
    .find((found) => found !== undefined);
  return {
    ...(wait !== undefined && { waitS: Number(wait) }),
    respondAsync: preferences.some((text) => text.toLowerCase() === 'respond-async'),
  };
}

/** How long a synchronous request waits, and what the response says about it. */
export interface WaitDecision {
  readonly waitMs: number;
  /** Value of `Preference-Applied`, where a preference was. */
  readonly applied?: string;
}

/** A client may shorten the server's longest wait, but not go beyond it. */
export function decideWait({ waitS, respondAsync }: Preferences, maxWaitMs: number): WaitDecision {
  if (waitS === undefined)
    return respondAsync ? { waitMs: 0, applied: 'respond-async' } : { waitMs: maxWaitMs };
  const waitMs = Math.min(waitS * 1_000, maxWaitMs);
  const wait = `wait=${String(Math.floor(waitMs / 1_000))}`;
  return { waitMs, applied: respondAsync ? `respond-async, ${wait}` : wait };
}
