import type { Json, JsonObject } from '../definition/json.js';
import type { ModelPrice } from './model-price.js';

/**
 * What the project's config provides to every body: a database, a client. Declare yours once:
 * `declare module 'millrace' { interface Services { db: Database } }`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a project fills it by declaration merging
export interface Services {}

/** What a project that configures no services has: one that declares some in {@link Services} configures them. */
export const NO_SERVICES = {} as Services;

/** A structured logger, pino's signature. Its lines carry the run, the stage and the operation. */
export interface Log {
  debug(fields: object, message?: string): void;
  debug(message: string): void;
  info(fields: object, message?: string): void;
  info(message: string): void;
  warn(fields: object, message?: string): void;
  warn(message: string): void;
  error(fields: object, message?: string): void;
  error(message: string): void;
}

/** How far a body is: `{ completed: 148, total: 212 }`. Shown live by the console, the CLI and SSE. */
export interface Progress {
  readonly completed?: number;
  readonly total?: number;
  readonly message?: string;
}

/** What one use of a language model took. */
export interface ModelUsage {
  /** The model's name in config.yml. */
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A failed attempt, as predicates, events and results see it. */
export interface OperationFailure {
  /** The error's type: `timeout`, `contract_violation`, a class name, or the type given to `permanent`. */
  readonly type: string;
  readonly message: string;
  /** False when another attempt would not help. */
  readonly retryable: boolean;
  readonly details?: Json;
}

/** The run that a body works for. */
export interface RunReference {
  /** The workflow id, such as `pipeline/summarize/01J…`. */
  readonly id: string;
  /** The definition's name, which is the workflow type. */
  readonly name: string;
  /** `workflow` for a hand-written one. */
  readonly kind:
    'pipeline' | 'workflow' | 'task' | 'flow' | 'record_pipeline' | 'attribute_pipeline';
  /** Who started it, where the server authenticates. */
  readonly principal?: string;
}

/** What every body gets, whatever it works on. The activities of a project get it from `activityContext()`. */
export interface ActivityContext {
  /** Aborted when the run is cancelled, the attempt times out or the worker stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /**
   * Tells how far the body is, and keeps a checkpoint: the next attempt gets the last one as `checkpoint`, also on
   * another machine. Sent at most once a second.
   */
  readonly heartbeat: (progress: Progress, checkpoint?: Json) => void;
  /** What the attempt before this one kept last with `heartbeat`; undefined in the first one. */
  readonly checkpoint: Json | undefined;
  /** From 1. */
  readonly attempt: number;
  readonly run: RunReference;
  readonly services: Services;
}

/** What an operation's body gets beside what it works on. */
export interface OperationContext<Options = JsonObject> extends ActivityContext {
  readonly options: Options;
  /** The language model that the pipeline names for this operation. */
  readonly model: ModelReference | undefined;
  /** Adds to the tokens that the run has used. */
  readonly recordUsage: (usage: ModelUsage) => void;
}

/** A model of config.yml, as a body sees it. */
export interface ModelReference {
  readonly name: string;
  readonly capabilities: readonly string[];
  /** What it costs, where config.yml says so. */
  readonly price?: ModelPrice;
  /** Answers a prompt. Bound to the provider, its key and its options. */
  readonly generate: (request: ModelRequest) => Promise<ModelAnswer>;
}

/** A question to a language model. */
export interface ModelRequest {
  readonly prompt: string;
  readonly system?: string;
  /** A JSON Schema that the answer must satisfy; the answer is then parsed JSON. */
  readonly schema?: JsonObject;
  /** Ask for JSON without a schema. */
  readonly json?: boolean;
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
  readonly signal: AbortSignal;
}

/** A model's answer: text, or JSON where that was asked for, with the tokens it took. */
export interface ModelAnswer {
  readonly output: Json;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

type Returned = Readonly<Record<string, unknown>>;

/** An operation's code, with its types erased. */
export type Body =
  | {
      readonly kind: 'each';
      readonly run: (
        context: OperationContext & { readonly input: JsonObject },
      ) => Returned | Promise<Returned>;
    }
  | {
      readonly kind: 'batch';
      readonly run: (
        context: OperationContext & { readonly inputs: readonly JsonObject[] },
      ) => readonly Returned[] | Promise<readonly Returned[]>;
    }
  | {
      readonly kind: 'derive';
      readonly run: (
        context: OperationContext & { readonly inputs: readonly JsonObject[] },
      ) => readonly DerivedReturn[] | Promise<readonly DerivedReturn[]>;
    };

/** What a body that changes the number of namespaces returns for each new one. */
export interface DerivedReturn {
  readonly from: number;
  readonly set: Returned;
}
