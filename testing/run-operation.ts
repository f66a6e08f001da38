import type { z } from 'zod';
import { failureOf } from '../activities/failure.js';
import { executeBody } from '../activities/pipeline/operation-body.js';
import type { Json, JsonObject } from '../src/definition/json.js';
import { DefinitionError } from '../src/definition/problem.js';
import type { OperationContext, RunReference, Services } from '../src/pipeline/context.js';
import type { ObjectType, Operation } from '../src/pipeline/operation.js';
import type { Effect } from '../src/pipeline/operation-task.js';
import { completeStage, operationInputs } from '../src/pipeline/stage-result.js';
import { OperationReport } from './operation-report.js';
import { compileSingle, SINGLE, type SingleUse } from './single-operation.js';

/** What a namespace holds for an operation: what it reads, and anything else, which it then does not see. */
export type OperationInput<R extends ObjectType> = z.input<R> & Readonly<Record<string, unknown>>;

/** How an operation is run in a test; everything has a default. */
export interface RunOperationOptions<O extends ObjectType> extends Omit<SingleUse, 'options'> {
  /** As a pipeline would write them; defaults are filled in. */
  readonly options?: z.input<O>;
  /** What the body gets as `services`: doubles of those that it uses. */
  readonly services?: Partial<Services>;
  /** Abort it to see what the body does then. */
  readonly signal?: AbortSignal;
  /** What the attempt before this one kept. */
  readonly checkpoint?: Json;
  /** From 1, which it is unless set. */
  readonly attempt?: number;
  /** The run that the body believes to work for. */
  readonly run?: Partial<RunReference>;
  /** Gets what the operation reports, also when it fails. */
  readonly report?: OperationReport;
}

/** What came of an operation's run. */
export interface OperationResult<S extends ObjectType> {
  /** What it set, one entry for each namespace that it leaves. */
  readonly sets: readonly z.output<S>[];
  /** The namespaces after it: with what it set, without what it deletes. */
  readonly namespaces: readonly JsonObject[];
  readonly report: OperationReport;
}

/** What came of an operation's run on one namespace. */
export interface SingleResult<S extends ObjectType> extends OperationResult<S> {
  /** What it set. */
  readonly set: z.output<S>;
  /** The namespace after it. */
  readonly namespace: JsonObject;
}

/**
 * Runs one operation as an activity does, without Temporal: options checked and their defaults filled in, what it reads
 * checked, its body called, what it sets checked. Whether it is quick makes no difference. Timeouts, retries and
 * `ignoreErrors` are a pipeline's: they have no effect here.
 *
 * @example
 * ```ts
 * const { set } = await runOperation(countWords, { input: { text: 'one two' } });
 * ```
 *
 * @throws whatever the body throws, {@link ContractViolation} where properties do not fit, {@link DefinitionError} for
 *   options, a model or files that do not
 */
export async function runOperation<
  O extends ObjectType,
  R extends ObjectType,
  S extends ObjectType,
>(
  operation: Operation<O, R, S>,
  on: RunOperationOptions<O> & { readonly input: OperationInput<R> },
): Promise<SingleResult<S>>;
/** Runs one operation on several namespaces, or one that changes their number. */
export async function runOperation<
  O extends ObjectType,
  R extends ObjectType,
  S extends ObjectType,
>(
  operation: Operation<O, R, S>,
  on: RunOperationOptions<O> & { readonly namespaces: readonly OperationInput<R>[] },
): Promise<OperationResult<S>>;
export async function runOperation(
  operation: Operation,
  on: RunOperationOptions<ObjectType> & {
    readonly input?: OperationInput<ObjectType>;
    readonly namespaces?: readonly OperationInput<ObjectType>[];
  },
): Promise<OperationResult<ObjectType>> {
  const { input, report = new OperationReport() } = on;
  const { pipeline, problems } = compileSingle(operation, on);
  const stage = pipeline?.plan.stages[0];
  const plan = stage?.operations[0];
  if (stage === undefined || plan === undefined) throw new DefinitionError(problems);
  if (input !== undefined && operation.changesCount)
    throw new TypeError(
      `Operation "${operation.name}" changes the count: give it namespaces: [ … ].`,
    );
  // What comes from a history, and goes into it, is JSON.
  const before = asJson(input === undefined ? (on.namespaces ?? []) : [input]) as JsonObject[];
  const context = contextOf(plan.options ?? {}, on, report);
  const effect = await executeBody(operation, plan, operationInputs(plan, before), context).then(
    (returned) => asJson(returned) as Effect,
    (error: unknown) => {
      report.failure = failureOf(error);
      throw error;
    },
  );
  const sets = setsOf(effect);
  const namespaces = completeStage(stage, before, [effect]);
  return {
    sets,
    namespaces,
    report,
    ...(input !== undefined && { set: sets[0], namespace: namespaces[0] }),
  };
}

function setsOf(effect: Effect): readonly JsonObject[] {
  switch (effect.kind) {
    case 'sets':
      return effect.sets;
    case 'derived':
      return effect.derived.map(({ set }) => set);
    case 'ignored':
      return [];
  }
}

function contextOf(
  options: JsonObject,
  on: RunOperationOptions<ObjectType>,
  report: OperationReport,
): OperationContext {
  const { signal = new AbortController().signal, services = {}, attempt = 1, model } = on;
  return {
    options,
    signal,
    log: report.log,
    heartbeat: (progress, checkpoint) => report.heartbeats.push({ progress, checkpoint }),
    checkpoint: on.checkpoint,
    attempt,
    run: {
      id: `pipeline/${SINGLE.pipeline}/1`,
      name: SINGLE.pipeline,
      kind: 'pipeline',
      ...on.run,
    },
    services,
    model,
    recordUsage: (usage) => report.usage.push(usage),
  };
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
