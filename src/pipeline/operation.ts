import { z } from 'zod';
import { EMPTY_CONTRACT, type Contract, type PropertyTypes } from '../contract/contract.js';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Duration } from '../definition/duration.js';
import type { JsonObject } from '../definition/json.js';
import type { Site } from '../definition/problem.js';
import type { Body, OperationContext, OperationFailure } from './context.js';

/** A z.object: contracts and options are written with it. */
export type ObjectType = z.ZodObject;

/** Retries of an operation, in Temporal's words. Attempts count the first one. */
export interface RetryOptions {
  /** 3 unless set; 1 means no retry. */
  readonly maximumAttempts?: number;
  /** Before the second attempt; 1 s unless set. */
  readonly initialInterval?: Duration;
  /** 2 unless set. */
  readonly backoffCoefficient?: number;
  /** Longest wait between attempts; 100 times the first unless set. */
  readonly maximumInterval?: Duration;
}

/**
 * Which failures let the namespaces through unchanged instead of failing the run: all (`true`), those of some types
 * (an error's `type` or class name, such as `'timeout'` or `'RateLimited'`), or those that a function says.
 */
export type IgnoreErrors = boolean | readonly string[] | ((failure: OperationFailure) => boolean);

/** What a contract may depend on: an operation's options, and what is known of the properties that reach it. */
export interface ContractRequest<Options> {
  readonly options: Options;
  /**
   * The types of the properties that reach the operation, as far as they are known. At run time these are the properties
   * that the contract reads, each as any value: optional where the contract has found it to be so when the definitions
   * were loaded.
   */
  readonly incoming: PropertyTypes;
}

/** What an operation does to the number of namespaces. */
export type CountEffect = 'one' | 'fewer' | 'more';

/** Names what a contract declares; what is left out is empty. */
export type ContractDeclaration = Partial<Contract>;

interface OperationSettings<O extends ObjectType> {
  /** The type that definitions refer to: `count-words`. */
  readonly name: string;
  readonly description?: string;
  /** Settings that a pipeline gives the operation, with their defaults. */
  readonly options?: O;
  /** Idempotent and done within 2 s: it is fused with its quick neighbours into one local activity. */
  readonly quick?: boolean;
  /** May return another number of namespaces than it got. It must then be alone in its stage. Needs `runBatch`. */
  readonly changesCount?: boolean;
  /**
   * What an operation that is declared `changesCount` makes of several namespaces: one, fewer of them (or as many), or of
   * each more. Only loading looks at it, which warns of a pipeline whose result is one, but which is left with several.
   */
  readonly leaves?: CountEffect | ((options: z.output<O>) => CountEffect);
  /** Longest time of one attempt. */
  readonly timeout?: Duration;
  readonly retry?: RetryOptions;
  readonly ignoreErrors?: IgnoreErrors;
  /** What the operation's model must be able to do, such as `['text']`; a model is then required. */
  readonly capabilities?: readonly string[] | ((options: z.output<O>) => readonly string[]);
  /**
   * Options that name a file of the project, and the option that gets the file's text when the pipeline is compiled:
   * `{ prompt_file: 'prompt' }`. The text is then part of the plan.
   */
  readonly fileOptions?: Readonly<Record<string, string>>;
}

interface FixedContract<R extends ObjectType, S extends ObjectType> {
  /** Properties it reads, checked before it starts. */
  readonly reads?: R;
  /** Properties it sets, checked after it ends. Optional ones may be left out. */
  readonly sets?: S;
  /** Properties that are gone after it succeeded. */
  readonly deletes?: readonly string[];
}

/** Runs once for each namespace and returns what it sets. */
export interface EachBody<R extends ObjectType, S extends ObjectType, O extends ObjectType> {
  readonly run: (
    context: OperationContext<z.output<O>> & { readonly input: z.output<R> },
  ) => MaybePromise<z.input<S>>;
  readonly runBatch?: never;
}

/** Runs once for the whole list and returns what it sets, one entry a namespace and in the same order. */
export interface BatchBody<R extends ObjectType, S extends ObjectType, O extends ObjectType> {
  readonly run?: never;
  readonly runBatch: (
    context: OperationContext<z.output<O>> & { readonly inputs: readonly z.output<R>[] },
  ) => MaybePromise<readonly z.input<S>[]>;
}

/** Runs once for the whole list and returns new namespaces, each a copy of an incoming one (`from`) with changes. */
export interface CountChangingBody<
  R extends ObjectType,
  S extends ObjectType,
  O extends ObjectType,
> {
  readonly changesCount: true;
  readonly run?: never;
  readonly runBatch: (
    context: OperationContext<z.output<O>> & { readonly inputs: readonly z.output<R>[] },
  ) => MaybePromise<readonly { readonly from: number; readonly set: z.input<S> }[]>;
}

type MaybePromise<T> = T | Promise<T>;

/** What {@link defineOperation} takes. */
export type OperationDefinition<
  R extends ObjectType,
  S extends ObjectType,
  O extends ObjectType,
> = OperationSettings<O> &
  FixedContract<R, S> &
  (EachBody<R, S, O> | BatchBody<R, S, O> | CountChangingBody<R, S, O>);

/** What {@link defineGenericOperation} takes: the contract follows from the options. */
export type GenericOperationDefinition<O extends ObjectType> = OperationSettings<O> & {
  readonly contract: (request: ContractRequest<z.output<O>>) => ContractDeclaration;
} & (
    | EachBody<ObjectType, ObjectType, O>
    | BatchBody<ObjectType, ObjectType, O>
    | CountChangingBody<ObjectType, ObjectType, O>
  );

/** An operation, ready to be named in a stage. Made by {@link defineOperation}. */
export interface Operation<
  O extends ObjectType = ObjectType,
  R extends ObjectType = ObjectType,
  S extends ObjectType = ObjectType,
> extends Branded<'operation'> {
  readonly name: string;
  readonly description?: string;
  readonly site?: Site;
  readonly options?: O;
  readonly quick: boolean;
  readonly changesCount: boolean;
  readonly timeout?: Duration;
  readonly retry?: RetryOptions;
  readonly ignoreErrors: IgnoreErrors;
  readonly capabilities: (options: JsonObject) => readonly string[];
  /** Undefined where it is not known. */
  readonly leaves: (options: JsonObject) => CountEffect | undefined;
  readonly fileOptions: Readonly<Record<string, string>>;
  readonly contract: (request: ContractRequest<JsonObject>) => Contract;
  readonly body: Body;
  /** The definition as a person wrote it, for the checks when definitions are loaded. */
  readonly written: Readonly<Record<string, unknown>>;
  /** Nothing at run time: what it reads and sets, for those who run it by itself (`millrace/testing`). */
  readonly types?: { readonly reads: R; readonly sets: S };
}

/**
 * Defines an operation: a person's code, with a contract of the properties it reads, sets and deletes.
 *
 * @example
 * ```ts
 * export const countWords = defineOperation({
 *   name: 'count-words',
 *   reads: z.object({ text: z.string() }),
 *   sets: z.object({ words: z.number().int() }),
 *   quick: true,
 *   run: ({ input }) => ({ words: input.text.split(/\s+/).length }),
 * });
 * ```
 */
export function defineOperation<
  R extends ObjectType = z.ZodObject<Record<never, never>>,
  S extends ObjectType = z.ZodObject<Record<never, never>>,
  O extends ObjectType = z.ZodObject<Record<never, never>>,
>(definition: OperationDefinition<R, S, O>): Operation<O, R, S> {
  const contract: Contract = {
    ...EMPTY_CONTRACT,
    reads: definition.reads?.shape ?? {},
    sets: definition.sets?.shape ?? {},
    deletes: definition.deletes ?? [],
  };
  return operation(definition, () => contract, callerSite());
}

/**
 * Defines an operation whose contract follows from its options, such as `link` with `{ copy: { from: to } }`. What it
 * reads and sets is then typed as JSON.
 */
export function defineGenericOperation<O extends ObjectType = z.ZodObject<Record<never, never>>>(
  definition: GenericOperationDefinition<O>,
): Operation<O> {
  const contract = (request: ContractRequest<JsonObject>): Contract => ({
    ...EMPTY_CONTRACT,
    // Options were parsed by the operation's own schema before a contract is asked for.
    ...definition.contract(request as ContractRequest<z.output<O>>),
  });
  return operation(definition, contract, callerSite());
}

function operation<O extends ObjectType, R extends ObjectType, S extends ObjectType>(
  definition: OperationSettings<O> & { readonly run?: unknown; readonly runBatch?: unknown },
  contract: Operation['contract'],
  site: Site | undefined,
): Operation<O, R, S> {
  const { capabilities, leaves } = definition;
  checkForm(definition);
  return {
    [DEFINITION]: 'operation',
    name: definition.name,
    quick: definition.quick ?? false,
    changesCount: definition.changesCount ?? false,
    ignoreErrors: definition.ignoreErrors ?? false,
    fileOptions: definition.fileOptions ?? {},
    ...(definition.description !== undefined && { description: definition.description }),
    ...(definition.options !== undefined && { options: definition.options }),
    ...(definition.timeout !== undefined && { timeout: definition.timeout }),
    ...(definition.retry !== undefined && { retry: definition.retry }),
    ...(site !== undefined && { site }),
    capabilities: (options) =>
      typeof capabilities === 'function'
        ? capabilities(options as z.output<O>)
        : (capabilities ?? []),
    leaves: (options) => (typeof leaves === 'function' ? leaves(options as z.output<O>) : leaves),
    contract,
    body: bodyOf(definition),
    written: { ...definition },
  };
}

type WrittenForm = Readonly<
  Partial<
    Record<'name' | 'reads' | 'sets' | 'options' | 'run' | 'runBatch' | 'changesCount', unknown>
  >
>;

/**
 * What TypeScript checks, for those who write JavaScript or have another zod: reported where the operation is defined.
 *
 * @throws TypeError
 */
function checkForm(definition: WrittenForm): void {
  const name = `operation ${JSON.stringify(definition.name ?? '')}`;
  for (const part of ['reads', 'sets', 'options'] as const) {
    const type = definition[part];
    if (type === undefined || type instanceof z.ZodObject) continue;
    throw new TypeError(`${name}: ${part} must be a z.object({ … }) of zod 4.`);
  }
  const { run, runBatch, changesCount } = definition;
  if ((typeof run === 'function') === (typeof runBatch === 'function')) {
    throw new TypeError(`${name}: give it either run or runBatch, a function.`);
  }
  if (changesCount === true && run !== undefined) {
    throw new TypeError(`${name}: changesCount needs runBatch, which gets all namespaces at once.`);
  }
}

/** Types of inputs and results are erased here: from now on contracts say what they are, at run time. */
function bodyOf(definition: {
  readonly run?: unknown;
  readonly runBatch?: unknown;
  readonly changesCount?: boolean;
}): Body {
  if (typeof definition.run === 'function') return { kind: 'each', run: definition.run as never };
  const run = definition.runBatch as never;
  return definition.changesCount === true ? { kind: 'derive', run } : { kind: 'batch', run };
}

const SETTINGS = {
  name: true,
  description: true,
  options: true,
  quick: true,
  changesCount: true,
  leaves: true,
  timeout: true,
  retry: true,
  ignoreErrors: true,
  capabilities: true,
  fileOptions: true,
} satisfies Record<keyof OperationSettings<ObjectType>, true>;

const FIXED = { reads: true, sets: true, deletes: true } satisfies Record<
  keyof FixedContract<ObjectType, ObjectType>,
  true
>;

/** The keys that {@link defineOperation} takes. */
export const OPERATION_KEYS: readonly string[] = [
  ...Object.keys(SETTINGS),
  ...Object.keys(FIXED),
  'run',
  'runBatch',
];

/** The keys that {@link defineGenericOperation} takes. */
export const GENERIC_OPERATION_KEYS: readonly string[] = [
  ...Object.keys(SETTINGS),
  'contract',
  'run',
  'runBatch',
];
