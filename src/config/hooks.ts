// eslint-disable-next-line @typescript-eslint/no-restricted-imports -- hooks get the context that Koa made; only its type is needed
import type { Context } from 'koa';
import type { Json, JsonObject } from '../definition/json.js';
import type { ExecutionStatus } from '../progress/status.js';

/**
 * Who makes a request: an id, or an object with an id and whatever else the project's own code wants to find there
 * again. The id is recorded with each run that the request starts.
 */
export type Principal = string | PrincipalRecord;

/** A {@link Principal} with more to it than an id. */
export interface PrincipalRecord {
  readonly id: string;
  readonly [property: string]: unknown;
}

/** Tells who makes a request, or false when it may not be made: it is then answered with 401. */
export type ApiAuthentication = (ctx: Context) => false | Principal | Promise<false | Principal>;

/** A run that somebody asks for by its id, or that a list would show. */
export interface RequestedExecution {
  /** The execution's id, as the HTTP API shows it. */
  readonly id: string;
  /** The id of the Temporal workflow: `pipeline/summarize/01J…`. */
  readonly workflowId: string;
  /** The definition's name. */
  readonly name: string;
  readonly status: ExecutionStatus;
  /** The id of the principal who started it; undefined for runs that were started from code or the command line without one. */
  readonly principal?: string;
  readonly startedAt: Date;
  readonly completedAt?: Date;
}

/**
 * Says whether a request may see a run, its events among it, and cancel it. Anything but `true` answers as if there were
 * no such run (404), and leaves it out of lists.
 *
 * @param ctx - Koa's context; `ctx.state.principal` is what `apiAuthentication` answered
 */
export type AuthorizeExecution = (
  ctx: Context,
  execution: RequestedExecution,
) => boolean | Promise<boolean>;

/** What a request would do with data flows. */
export interface RequestedFlowAccess {
  /** `read` looks at settings, runs and rejected rows; `write` starts runs and changes settings. */
  readonly access: 'read' | 'write';
  /** The flow's name; undefined for the list of all. */
  readonly flow?: string;
}

/**
 * Says whether a request may look at data flows or steer them. Anything but `true` answers 403. The heartbeat has its own
 * authentication.
 *
 * @param ctx - Koa's context; `ctx.state.principal` is what `apiAuthentication` answered
 */
export type AuthorizeDataFlows = (
  ctx: Context,
  requested: RequestedFlowAccess,
) => boolean | Promise<boolean>;

/** What a request would do with record pipelines. */
export interface RequestedRecordAccess {
  /** `read` looks at runs, records and versions; `write` starts and cancels runs and makes versions; `restore` makes one current. */
  readonly access: 'read' | 'write' | 'restore';
  /** The pipeline's name; undefined for the list of all. */
  readonly pipeline?: string;
}

/**
 * Says whether a request may look at record pipelines and the records of their stores, run them, or restore a version. Anything but
 * `true` answers 403.
 *
 * @param ctx - Koa's context; `ctx.state.principal` is what `apiAuthentication` answered
 */
export type AuthorizeRecordPipelines = (
  ctx: Context,
  requested: RequestedRecordAccess,
) => boolean | Promise<boolean>;

/** What a request would do with entities, their attributes or the pipelines that compute them. */
export interface RequestedAttributeAccess {
  /**
   * `read` looks at them; `edit` changes entities and values, approves and overrides; `run` starts and cancels runs, which may cost
   * money; `design` changes entity types, attributes, pipelines and evals.
   */
  readonly access: 'read' | 'edit' | 'run' | 'design';
  /** Its name, where the request is about one. */
  readonly entityType?: string;
}

/**
 * Says whether a request may look at entities and attributes, edit values, run pipelines or design them. Anything but `true` answers 403.
 *
 * @param ctx - Koa's context; `ctx.state.principal` is what `apiAuthentication` answered
 */
export type AuthorizeAttributes = (
  ctx: Context,
  requested: RequestedAttributeAccess,
) => boolean | Promise<boolean>;

/** How {@link BeforeExecute} refuses a request: the HTTP status (400 to 599) and the `error` of the JSON body. */
export interface Rejection {
  readonly status: number;
  readonly error: string;
}

/** What a hook may answer: `false` is `{ status: 403, error: 'Forbidden' }`, anything but a rejection lets it pass. */
export type BeforeExecuteAnswer = undefined | boolean | Rejection;

/**
 * Called for each request that would start a run, after its input was checked and before the run is started.
 *
 * @param name - the definition's name
 * @param input - the checked input
 * @param ctx - Koa's context; `ctx.state.principal` is what `apiAuthentication` answered
 */
export type BeforeExecute = (
  name: string,
  input: JsonObject,
  ctx: Context,
) => BeforeExecuteAnswer | Promise<BeforeExecuteAnswer>;

/** How a run ended. */
export type ExecutionOutcome =
  | { readonly status: 'completed'; readonly result: Json }
  | {
      readonly status: 'failed' | 'cancelled' | 'terminated' | 'timed_out';
      /** `type` is an error type such as `timeout` or `contract_violation`. */
      readonly error: { readonly type: string; readonly message: string };
    };

/** The run whose end {@link AfterExecute} is told of. */
export interface ExecutionInfo {
  /** The execution's id, as the HTTP API shows it. */
  readonly id: string;
  /** The id of the Temporal workflow: `pipeline/summarize/01J…`. */
  readonly workflowId: string;
  /** The Temporal run id. */
  readonly runId: string;
  /** The id of the principal who started it, where the server authenticates. */
  readonly principal?: string;
  /** From start to end, queueing included. */
  readonly durationMs: number;
}

/**
 * Called once for each run that ended, in whichever way: also for asynchronous runs and for those whose client left. It
 * runs in a worker, and again when it throws or its worker dies, so let a repetition do no harm.
 */
export type AfterExecute = (
  name: string,
  outcome: ExecutionOutcome,
  info: ExecutionInfo,
) => void | Promise<void>;
