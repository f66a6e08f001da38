import type { z } from 'zod';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Duration } from '../definition/duration.js';
import type { Site } from '../definition/problem.js';
import type { MergeStrategy } from './merge.js';
import type { IgnoreErrors, ObjectType, Operation, RetryOptions } from './operation.js';

/** How a pipeline uses an operation. What is set here wins over what the operation says itself. */
export interface OperationUse {
  /** The operation, or the name it is registered by. */
  readonly type: Operation | string;
  /** What events call it; the type's name unless set. */
  readonly name?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** A model of config.yml. */
  readonly model?: string;
  /** Longest time of one attempt. */
  readonly timeout?: Duration;
  readonly retry?: RetryOptions;
  readonly ignoreErrors?: IgnoreErrors;
}

/** A stage: operations that run in parallel on the same input. */
export interface Stage {
  readonly name: string;
  /** Longest time of the stage, retries included. */
  readonly timeout?: Duration;
  readonly merge?: MergeStrategy;
  /** Most operations at once; 10 unless set. */
  readonly parallel?: number;
  readonly operations: readonly (Operation | OperationUse | string)[];
}

/** What {@link definePipeline} takes. */
export interface PipelineDefinition<I extends ObjectType, P extends ObjectType> {
  readonly name: string;
  readonly description?: string;
  readonly stages: readonly Stage[];
  /** Longest time of a run; 15 minutes unless set. */
  readonly timeout?: Duration;
  /** How changes of parallel operations to one property come together; `last` unless set. */
  readonly merge?: MergeStrategy;
  /** `one` (unless set): a run ends with one namespace, anything else is an error. `all`: the result is the list. */
  readonly result?: 'one' | 'all';
  /** What a run is started with. Unless declared: every property that a stage reads before an earlier one sets it. */
  readonly input?: I;
  /** The result's properties. Unless declared: everything that is left. */
  readonly output?: P;
}

/** A pipeline. Made by {@link definePipeline} or read from YAML. */
export interface Pipeline<I extends ObjectType = ObjectType, P extends ObjectType = ObjectType>
  extends Branded<'pipeline'>, PipelineDefinition<I, P> {
  readonly site?: Site;
}

/** The keys of {@link PipelineDefinition}, and the place that `definePipeline` adds. */
export const PIPELINE_KEYS: readonly string[] = Object.keys({
  name: true,
  description: true,
  stages: true,
  timeout: true,
  merge: true,
  result: true,
  input: true,
  output: true,
  site: true,
} satisfies Record<Exclude<keyof Pipeline, symbol>, true>);

/** The keys of {@link Stage}. */
export const STAGE_KEYS: readonly string[] = Object.keys({
  name: true,
  timeout: true,
  merge: true,
  parallel: true,
  operations: true,
} satisfies Record<keyof Stage, true>);

/** The keys of {@link OperationUse}. */
export const USE_KEYS: readonly string[] = Object.keys({
  type: true,
  name: true,
  options: true,
  model: true,
  timeout: true,
  retry: true,
  ignoreErrors: true,
} satisfies Record<keyof OperationUse, true>);

/** What a run of this pipeline is started with, where it declares `input`. */
export type PipelineInput<T> = T extends Pipeline<infer I> ? z.input<I> : never;

/** What a run of this pipeline ends with, where it declares `output` and its `result` is `one`. */
export type PipelineOutput<T> = T extends Pipeline<ObjectType, infer P> ? z.output<P> : never;

/**
 * Defines a pipeline: stages, one after the other, of operations that run in parallel.
 *
 * @example
 * ```ts
 * export const wordReport = definePipeline({
 *   name: 'word-report',
 *   timeout: '30s',
 *   stages: [{ name: 'count', operations: [countWords] }],
 * });
 * ```
 */
export function definePipeline<
  I extends ObjectType = ObjectType,
  P extends ObjectType = ObjectType,
>(definition: PipelineDefinition<I, P>): Pipeline<I, P> {
  const site = callerSite();
  return { [DEFINITION]: 'pipeline', ...definition, ...(site !== undefined && { site }) };
}
