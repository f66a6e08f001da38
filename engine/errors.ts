import type { Failure } from '../src/pipeline/failure.js';
import type { ExecutionStatus } from '../src/progress/status.js';

/** There is no definition of that name. */
export class DefinitionNotFound extends Error {
  override readonly name = 'DefinitionNotFound';
  constructor(readonly definition: string) {
    super(`Pipeline not found: ${definition}`);
  }
}

/** There is no run of that id under that definition. */
export class RunNotFound extends Error {
  override readonly name = 'RunNotFound';
  constructor(
    readonly definition: string,
    readonly executionId: string,
  ) {
    super(`Execution not found: ${executionId}`);
  }
}

/** A run ended without a result. */
export class RunFailed extends Error {
  override readonly name = 'RunFailed';
  constructor(
    readonly runId: string,
    readonly status: Exclude<ExecutionStatus, 'pending' | 'running' | 'completed'>,
    readonly failure: Failure,
  ) {
    super(failure.message);
  }
}

/** An idempotency key was used before, for another request. */
export class IdempotencyConflict extends Error {
  override readonly name = 'IdempotencyConflict';
  constructor(
    readonly key: string,
    readonly executionId: string,
  ) {
    super(
      'This Idempotency-Key was used for a request with other content. Use a new key for a new request.',
    );
  }
}
