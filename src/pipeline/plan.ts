import type { JsonObject } from '../definition/json.js';
import type { MergeStrategy } from './merge.js';

/** The version of the rules by which workflows interpret plans. Version n stays in the code until no run can hold it. */
export const INTERPRETER = 1;

/** Retries as a plan pins them, all in milliseconds. */
export interface RetryPlan {
  readonly maximumAttempts: number;
  readonly initialIntervalMs: number;
  readonly backoffCoefficient: number;
  readonly maximumIntervalMs?: number;
}

/** `predicate`: the deployed code decides. */
export type IgnorePlan = true | readonly string[] | 'predicate';

/** One operation of a stage, compiled. */
export interface OperationPlan {
  /** The registered operation. */
  readonly type: string;
  /** What events call it: the type, unless the definition names it. */
  readonly name: string;
  readonly options?: JsonObject;
  /** A model of config.yml, by name. */
  readonly model?: string;
  readonly timeoutMs?: number;
  readonly retry: RetryPlan;
  readonly ignoreErrors?: IgnorePlan;
  readonly quick?: true;
  readonly changesCount?: true;
  /** Names of the properties it gets; `'*'` stands for all of them. */
  readonly reads: readonly string[] | '*';
  /** Those that may be absent, of the properties that its contract names to read; left out where none may. */
  readonly optional?: readonly string[];
  readonly sets: readonly string[];
  readonly deletes: readonly string[];
  /** Of the contract that was checked; another one in the deployed code fails the run with `ContractChanged`. */
  readonly contractHash: string;
}

/** One stage, compiled. Its operations run in parallel on the same input. */
export interface StagePlan {
  readonly name: string;
  readonly timeoutMs?: number;
  readonly merge: MergeStrategy;
  /** Most operations that run at once. */
  readonly parallel: number;
  readonly operations: readonly OperationPlan[];
}

/**
 * What the workflow executes as one piece: some neighbouring stages whose operations are all quick (`fused`: stages
 * `first` to `last`, inclusive), or one stage, each of whose operations is an activity of its own. Quick operations beside
 * durable ones are ordinary activities, too: a local activity holds up the workflow task, and with it its siblings.
 */
export type Unit =
  | { readonly kind: 'fused'; readonly first: number; readonly last: number }
  | { readonly kind: 'stage'; readonly stage: number };

/** A pipeline compiled to plain JSON: everything that decides what a run does, and no code. Pinned when a run starts. */
export interface PipelinePlan {
  readonly kind: 'pipeline';
  readonly interpreter: typeof INTERPRETER;
  readonly name: string;
  readonly timeoutMs: number;
  readonly result: 'one' | 'all';
  /** The only properties that the result has, where the definition declares an output. */
  readonly output?: readonly string[];
  /** JSON Schema of what the contracts of its operations do not settle about the result, which is then looked at. */
  readonly resultSchema?: JsonObject;
  readonly stages: readonly StagePlan[];
  readonly units: readonly Unit[];
}

/** Limits on plans and pipelines. Each is named in the error that it causes. */
export const PLAN_LIMITS = {
  /** Above this a plan is warned about: it is stored with every run. */
  warnBytes: 16 * 1024,
  /** Above this a plan is refused. A plan of this size doubles the latency of a run. */
  maxBytes: 256 * 1024,
  maxStages: 200,
  maxOperationsPerStage: 100,
} as const;

/** What holds where a definition sets nothing. */
export const PIPELINE_DEFAULTS = {
  timeoutMs: 15 * 60_000,
  parallel: 10,
  retry: { maximumAttempts: 3, initialIntervalMs: 1_000, backoffCoefficient: 2 },
} as const;

/** Limits on what is fused into one local activity. */
export const FUSION_LIMITS = {
  /** Longest time of one quick operation; it is started again as an ordinary activity when it takes longer. */
  operationMs: 2_000,
  /** Longest time of all of them together. */
  groupMs: 5_000,
  /** Most operations in one local activity. */
  operations: 30,
  /** Most bytes that they report together: the report is part of one message to the server. */
  reportBytes: 1024 * 1024,
} as const;
