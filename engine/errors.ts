import type { Failure } from '../src/pipeline/failure.js';
import type { ExecutionStatus } from '../src/progress/status.js';

/** There is no definition of that name. */
export class DefinitionNotFound extends Error {
  override readonly name = 'DefinitionNotFound';
  constructor(
    readonly definition: string,
    readonly kind: 'pipeline' | 'task' = 'pipeline',
  ) {
    super(`${kind === 'task' ? 'Task' : 'Pipeline'} not found: ${definition}`);
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

/** There is a run of this task already: of the same input, or with the same identity key. */
export class DuplicateTask extends Error {
  override readonly name = 'DuplicateTask';
  constructor(
    readonly definition: string,
    readonly executionId: string,
  ) {
    super(
      `Task "${definition}" was started before, as ${executionId}. Look at that run, or send an Idempotency-Key to get it as the answer.`,
    );
  }
}

/** A task whose callers say which is which was started without that. */
export class IdentityKeyMissing extends Error {
  override readonly name = 'IdentityKeyMissing';
  constructor(readonly definition: string) {
    super(
      `Task "${definition}" has identity_strategy: caller_provided. Say which one this is: identity_key.`,
    );
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
