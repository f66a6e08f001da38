import type { Failure } from '../../src/pipeline/failure.js';
import { suggestion } from '../../src/definition/suggestion.js';

/** There is no record pipeline with this name. */
export class RecordPipelineNotFound extends Error {
  override readonly name = 'RecordPipelineNotFound';
  constructor(
    readonly pipeline: string,
    known: readonly string[] = [],
  ) {
    super(`There is no record pipeline "${pipeline}".${suggestion(pipeline, known)}`);
  }
}

/** The pipeline has no run with this id. */
export class RecordRunNotFound extends Error {
  override readonly name = 'RecordRunNotFound';
  constructor(
    readonly pipeline: string,
    readonly run: string,
  ) {
    super(`Record pipeline "${pipeline}" has no run "${run}".`);
  }
}

/** The run is over: there is nothing left to cancel. */
export class RecordRunOver extends Error {
  override readonly name = 'RecordRunOver';
  constructor(
    readonly run: string,
    readonly status: string,
  ) {
    super(`The run ${run} is already over: ${status}.`);
  }
}

/** No worker that has the store was there in time. The message says where it was last, and what to do. */
export class RecordStoreAway extends Error {
  override readonly name = 'RecordStoreAway';
  constructor(
    readonly pipeline: string,
    message: string,
    /** The store, as far as it is known. */
    readonly store?: { readonly id: string; readonly host: string },
  ) {
    super(message);
  }
}

/** The store has refused what was asked of it, or could not do it. `failure.type` is the type of the store's own error. */
export class RecordStoreRefused extends Error {
  override readonly name = 'RecordStoreRefused';
  constructor(
    readonly pipeline: string,
    readonly failure: Failure,
  ) {
    super(failure.message);
  }
}

/** What was asked goes on for longer than it was waited for. */
export class RecordStoreSlow extends Error {
  override readonly name = 'RecordStoreSlow';
  constructor(
    readonly pipeline: string,
    readonly waitedMs: number,
  ) {
    super(
      `The store of "${pipeline}" has not answered for ${String(Math.round(waitedMs / 1_000))} s. What was asked goes on.`,
    );
  }
}

/** This process waits for so many answers of stores already that it asks for no more. */
export class TooManyStoreQuestions extends Error {
  override readonly name = 'TooManyStoreQuestions';
  constructor(readonly limit: number) {
    super(
      `${String(limit)} questions to record stores are open. Ask again when some are answered.`,
    );
  }
}
