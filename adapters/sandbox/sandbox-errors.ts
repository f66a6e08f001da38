/** Why a whole batch was lost. */
export type SandboxReason =
  'timeout' | 'memory' | 'output' | 'crashed' | 'closed' | 'busy' | 'script';

/** A batch of which nothing has come. What follows it is not concerned. */
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
