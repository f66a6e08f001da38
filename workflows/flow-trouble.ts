import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import { detailsOf, typeOf } from './flow-failure.js';

/** What has gone wrong since the flow last got further. */
export interface Trouble {
  /** Attempts that failed. */
  readonly failures: number;
  /** Attempts whose worker stopped answering. */
  readonly lost: number;
  /** Workers that lacked the code. */
  readonly lacking: number;
}

export const NO_TROUBLE: Trouble = { failures: 0, lost: 0, lacking: 0 };

/** Adds what an attempt has ended with. One that got further before it did is the first of the next ones. */
export function troubleAfter(before: Trouble, error: unknown): Trouble {
  const trouble = detailsOf(error).moved > 0 ? NO_TROUBLE : before;
  switch (typeOf(error)) {
    case FAILURE_TYPES.workerShutdown:
      return trouble;
    case FAILURE_TYPES.flowNotRegistered:
      return { ...trouble, lacking: trouble.lacking + 1 };
    case FAILURE_TYPES.workerLost:
      return { ...trouble, lost: trouble.lost + 1 };
    default:
      return { ...trouble, failures: trouble.failures + 1 };
  }
}
