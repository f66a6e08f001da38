import ms, { type StringValue } from 'ms';

/**
 * A length of time as Temporal's SDK writes it: a string such as `'30s'` or `'15 minutes'`, or a number of
 * milliseconds.
 */
export type Duration = StringValue | number;

/** A value was given where a {@link Duration} is expected, and it is none. */
export class InvalidDuration extends Error {
  override readonly name = 'InvalidDuration';
  constructor(readonly value: unknown) {
    super(
      `${JSON.stringify(value)} is not a duration. Write a positive number of milliseconds or a string such as "30s", "5 minutes" or "2h".`,
    );
  }
}

/**
 * Milliseconds of a duration.
 *
 * @throws {@link InvalidDuration} when the value is not a positive, finite length of time.
 */
export function durationMs(duration: unknown): number {
  const value = typeof duration === 'string' ? parse(duration) : duration;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidDuration(duration);
  }
  return Math.ceil(value);
}

/**
 * Milliseconds of a duration whose mistakes are told elsewhere: undefined where there is none, or where it is wrong.
 */
export function durationMsOrNone(duration: unknown): number | undefined {
  if (duration === undefined || duration === null) return undefined;
  try {
    return durationMs(duration);
  } catch (error) {
    if (error instanceof InvalidDuration) return undefined;
    throw error;
  }
}

/** Bare numbers below this many milliseconds were probably meant as seconds, where they limit the time of something. */
const LIKELY_SECONDS_BELOW = 1_000;

/** The question whether a time limit without a unit was meant as seconds; undefined where there is none to ask. */
export function bareNumberHint(duration: unknown): string | undefined {
  const bare = typeof duration === 'string' ? duration.trim() : duration;
  const number = typeof bare === 'string' && /^\d*\.?\d+$/.test(bare) ? Number(bare) : bare;
  if (typeof number !== 'number' || !(number > 0 && number < LIKELY_SECONDS_BELOW))
    return undefined;
  const text = String(number);
  return `${text} is ${text} milliseconds. Did you mean '${text}s'?`;
}

function parse(text: string): number | undefined {
  if (text.length === 0 || text.length > 100) return undefined;
  // ms() is typed for literals it knows; at run time it answers undefined for any other text.
  return ms(text as StringValue);
}
