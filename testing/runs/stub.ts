import type { z } from 'zod';
import type { Json, JsonObject } from '../../src/definition/json.js';
import type { DerivedReturn, OperationContext } from '../../src/pipeline/context.js';
import type { ObjectType, Operation } from '../../src/pipeline/operation.js';
import type { ApiStepContext, StepReturn } from '../../src/task/handler.js';
import type { StepResult } from '../../src/task/step-result.js';

type MaybePromise<T> = T | Promise<T>;

/** What the function of a stub gets: what the operation's body gets. */
export type OperationStubContext = OperationContext & {
  /** The namespace; the first one where the operation gets several at once. */
  readonly input: JsonObject;
  readonly inputs: readonly JsonObject[];
};

/**
 * What stands in for an operation: what it sets for each namespace; a list of that, one entry a namespace; or a function that returns it.
 * For one that changes the number of namespaces, `{ from, set }` of each new one.
 */
export type OperationStub =
  | ((context: OperationStubContext) => MaybePromise<object>)
  | JsonObject
  | readonly JsonObject[]
  | readonly DerivedReturn[];

/** Stands in for operations, by their names in the pipeline: `count-words`, or `count/count-words` for that of one stage. */
export type OperationStubs = Readonly<Record<string, OperationStub>>;

/** What stands in for a handler: data, which is a success; what `error()` or `branches()` returns; or a function that returns it. */
export type StepStub = ((context: ApiStepContext) => StepReturn) | StepResult | Json;

/** Stands in for handlers: by the name of a step, or that of a handler, for all of its steps. */
export type StepStubs = Readonly<Record<string, StepStub>>;

/** What an operation sets, in the forms of {@link OperationStub}. */
type Sets<S extends ObjectType> =
  | z.input<S>
  | readonly z.input<S>[]
  | readonly { readonly from: number; readonly set: z.input<S> }[];

/**
 * A stub with the types of the operation that it stands in for.
 *
 * @example
 * ```ts
 * await runPipeline(wordReport, {
 *   input: { text: 'one two' },
 *   operations: { 'count-words': stub(countWords, { words: 7 }) },
 * });
 * ```
 */
export function stub<O extends ObjectType, R extends ObjectType, S extends ObjectType>(
  _operation: Operation<O, R, S>,
  replacement:
    | Sets<S>
    | ((
        context: OperationContext<z.output<O>> & {
          readonly input: z.output<R>;
          readonly inputs: readonly z.output<R>[];
        },
      ) => MaybePromise<Sets<S>>),
): OperationStub {
  // The contract says the same at run time, where it is checked.
  return replacement as OperationStub;
}
