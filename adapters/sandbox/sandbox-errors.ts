import { RetryableError } from '../../src/pipeline/permanent.js';

/** Why a whole batch was lost. */
export type SandboxReason = 'timeout' | 'memory' | 'output' | 'crashed' | 'script';

/** A batch that has itself to thank that nothing has come of it: it would come to the same end again. What follows it is not concerned. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  constructor(
    readonly reason: SandboxReason,
    message: string,
    /** Of the item that it was at, from 0, where that is known. */
    readonly index: number | null = null,
  ) {
    super(message);
  }
}

/** Why a batch was not run to its end, though nothing is known against it. */
export type UnavailableReason = 'busy' | 'closed' | 'start';

/** Others are in a batch's way, or the machine is: it may be run again. */
export class SandboxUnavailable extends RetryableError {
  override readonly name = 'SandboxUnavailable';
  constructor(
    readonly reason: UnavailableReason,
    message: string,
    retryAfterMs?: number,
  ) {
    super(message, retryAfterMs);
  }
}
