import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Duration } from '../definition/duration.js';
import type { Json } from '../definition/json.js';
import type { Site } from '../definition/problem.js';
import type { ApiClient } from './api-client.js';
import type { StepContext } from './step-context.js';
import type { StepError, StepResult, StepSuccess } from './step-result.js';

/** What handlers are for: work, a call of an HTTP API, a choice of steps, or a division of work. */
export type HandlerType = 'base' | 'api' | 'decision' | 'batchable';

type MaybePromise<T> = T | Promise<T>;

/** What the body of a handler may return: plain data is a success. */
export type StepReturn = MaybePromise<StepResult | Json | undefined>;

/** A body, with what it gets erased. */
export type HandlerMethod<C extends StepContext = StepContext, R = StepReturn> = (context: C) => R;

interface HandlerHead {
  /** What templates refer to: `process_payment`. */
  readonly name: string;
  /** Of the code, shown with each step that it has run; `1.0.0` unless set. */
  readonly version?: string;
  readonly description?: string;
}

/** What {@link defineStepHandler} takes. */
export interface StepHandlerDefinition extends HandlerHead {
  readonly run: HandlerMethod;
  /** Others that templates may name as `method`. */
  readonly methods?: Readonly<Record<string, HandlerMethod>>;
}

/** What a handler of type `api` gets. */
export type ApiStepContext = StepContext & { readonly api: ApiClient };

/** What {@link defineApiHandler} takes. */
export interface ApiHandlerDefinition extends HandlerHead {
  /** What paths are added to: `https://api.example.com/v1`, or what says it. */
  readonly baseUrl: string | ((context: StepContext) => string);
  /** Of one request; 30 s unless set. */
  readonly timeout?: Duration;
  /** Sent with every request. */
  readonly headers?:
    Readonly<Record<string, string>> | ((context: StepContext) => Readonly<Record<string, string>>);
  readonly run: HandlerMethod<ApiStepContext>;
  readonly methods?: Readonly<Record<string, HandlerMethod<ApiStepContext>>>;
}

/** What {@link defineDecisionHandler} takes. */
export interface DecisionHandlerDefinition extends HandlerHead {
  /** Returns `branches(['large_order'])` or `noBranches()`. */
  readonly run: HandlerMethod<StepContext, MaybePromise<StepSuccess | StepError>>;
}

/** What {@link defineBatchableHandler} takes. */
export interface BatchableHandlerDefinition extends HandlerHead {
  /** Returns `batches({ total: 10_000 })`, `batches([{ start: 0, end: 500 }, …])` or `noBatches()`. */
  readonly run: HandlerMethod<StepContext, MaybePromise<StepSuccess | StepError>>;
}

/** How a handler calls its API. */
export interface ApiSettings {
  readonly baseUrl: ApiHandlerDefinition['baseUrl'];
  readonly timeout?: Duration;
  readonly headers?: ApiHandlerDefinition['headers'];
}

/** A person's code for steps of tasks. Made by {@link defineStepHandler} and its siblings. */
export interface StepHandler extends Branded<'step_handler'> {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly type: HandlerType;
  readonly site?: Site;
  /** `run`, and others by their names. Those of type `api` get a client. */
  readonly methods: Readonly<Record<string, HandlerMethod<ApiStepContext>>>;
  readonly api?: ApiSettings;
}

/**
 * Defines the code of steps.
 *
 * @example
 * ```ts
 * export const reserveStock = defineStepHandler({
 *   name: 'reserve_stock',
 *   run: ({ getTaskField }) => success({ reserved: getTaskField<number>('quantity') }),
 * });
 * ```
 */
export function defineStepHandler(definition: StepHandlerDefinition): StepHandler {
  return handler('base', definition, callerSite());
}

/** Defines the code of steps that call an HTTP API: `run: async ({ api }) => success((await api.get('/rates')).body)`. */
export function defineApiHandler(definition: ApiHandlerDefinition): StepHandler {
  const { baseUrl, timeout, headers } = definition;
  return {
    ...handler('api', definition, callerSite()),
    api: {
      baseUrl,
      ...(timeout !== undefined && { timeout }),
      ...(headers !== undefined && { headers }),
    },
  };
}

/** Defines the code of decision steps, which say which of the steps that depend on them come next. */
export function defineDecisionHandler(definition: DecisionHandlerDefinition): StepHandler {
  return handler('decision', definition, callerSite());
}

/** Defines the code of batchable steps, which divide work into ranges for the workers of the batch. */
export function defineBatchableHandler(definition: BatchableHandlerDefinition): StepHandler {
  return handler('batchable', definition, callerSite());
}

function handler(
  type: HandlerType,
  definition: HandlerHead & {
    readonly run: HandlerMethod<ApiStepContext>;
    readonly methods?: Readonly<Record<string, HandlerMethod<ApiStepContext>>>;
  },
  site: Site | undefined,
): StepHandler {
  const { name, version = '1.0.0', description, run, methods } = definition;
  return {
    [DEFINITION]: 'step_handler',
    name,
    version,
    type,
    ...(description !== undefined && { description }),
    ...(site !== undefined && { site }),
    methods: { ...methods, run },
  };
}
