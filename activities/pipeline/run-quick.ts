import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import { jsonBytes } from '../../src/definition/json.js';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import type { Namespace } from '../../src/pipeline/namespace.js';
import type {
  Effect,
  OperationOutcome,
  QuickOutcome,
  QuickReport,
  QuickStage,
  QuickTask,
} from '../../src/pipeline/operation-task.js';
import { FUSION_LIMITS, type OperationPlan, type RetryPlan } from '../../src/pipeline/plan.js';
import { completeStage, operationInputs } from '../../src/pipeline/stage-result.js';
import type { ModelUsage, OperationContext } from '../../src/pipeline/context.js';
import type { ActivityDependencies } from '../dependencies.js';
import { failureOf, isCancelled, retryAfterMs } from '../failure.js';
import { runReference } from '../run-reference.js';
import { ignores } from './ignores.js';
import { operationEvents } from './operation-events.js';
import { executeBody } from './operation-body.js';

/** One fused operation in its place. */
interface Place {
  readonly task: QuickTask;
  readonly stage: QuickStage;
  readonly at: number;
  readonly operation: OperationPlan;
  readonly inputs: readonly Namespace[];
  /** Milliseconds since the epoch when the group's time is over. */
  readonly deadline: number;
}

/**
 * Runs fused operations, stage after stage. Retries each inside itself while there is time, keeps what is finished, and
 * reports failures instead of throwing them. What takes too long is left to the workflow.
 */
export async function runQuick(deps: ActivityDependencies, task: QuickTask): Promise<QuickOutcome> {
  const deadline = Date.now() + task.budgetMs;
  const reports: QuickReport[] = [];
  let { namespaces } = task;
  let bytes = 0;
  for (const stage of task.stages) {
    // Another worker may have it; a local activity would come back to this one.
    if (stage.operations.some(({ type }) => deps.code.operation(type) === undefined)) break;
    const limit = pLimit(stage.parallel);
    const finished = await Promise.all(
      stage.operations.map((operation, at) => {
        // A body may change what it gets; its siblings and the stages after it must not see that.
        const inputs = structuredClone(operationInputs(operation, namespaces));
        return limit(() => runPlace(deps, { task, stage, at, operation, inputs, deadline }));
      }),
    );
    const told = finished
      .filter((report) => report !== undefined)
      .map((report) => {
        bytes += jsonBytes(report);
        // What is left out runs again, as an ordinary activity with a message of its own.
        return bytes <= FUSION_LIMITS.reportBytes ? report : withoutResult(report);
      });
    reports.push(...told);
    const effects = told.flatMap((report): Effect[] =>
      report.outcome === undefined ? [] : [report.outcome.effect],
    );
    if (effects.length < stage.operations.length) break;
    namespaces = completeStage(stage, namespaces, effects);
  }
  return { operations: reports };
}

/** The report of an attempt that goes for nothing, since the next one repeats it. */
function withoutResult(report: QuickReport): QuickReport {
  const { outcome, failure, ...rest } = report;
  // One that is handed over already has no attempt more to take back.
  return outcome === undefined && failure === undefined
    ? report
    : { ...rest, attempts: report.attempts - 1 };
}

/**
 * One operation with its retries. Without outcome and failure when it was not finished in time: its attempts count, but
 * one is left to the activity that takes over. Undefined when there was no time to begin.
 */
async function runPlace(
  deps: ActivityDependencies,
  place: Place,
): Promise<QuickReport | undefined> {
  const { operation, stage, at, deadline } = place;
  const { maximumAttempts } = operation.retry;
  const startedAt = Date.now();
  const report = (attempts: number): QuickReport => ({
    stage: stage.index,
    operation: at,
    startedAt,
    durationMs: Date.now() - startedAt,
    attempts,
  });
  let attempt = 0;
  while (Date.now() < deadline) {
    attempt += 1;
    const ended = await attemptOnce(deps, place, attempt);
    if (ended === 'overran') break;
    if ('outcome' in ended) return { ...report(attempt), outcome: ended.outcome };
    const last = !ended.failure.retryable || attempt >= maximumAttempts;
    if (last) return { ...report(attempt), failure: ended.failure };
    const waitMs = ended.retryAfterMs ?? backoffMs(operation.retry, attempt);
    if (Date.now() + waitMs >= deadline) break;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  return attempt === 0 ? undefined : report(Math.min(attempt, maximumAttempts - 1));
}

type Ended =
  | { readonly outcome: OperationOutcome }
  | { readonly failure: Failure; readonly retryAfterMs?: number }
  | 'overran';

async function attemptOnce(
  deps: ActivityDependencies,
  place: Place,
  attempt: number,
): Promise<Ended> {
  const { operation: plan, deadline } = place;
  const operation = deps.code.operation(plan.type);
  if (operation === undefined) return 'overran';
  const ownMs = Math.min(plan.timeoutMs ?? Infinity, FUSION_LIMITS.operationMs);
  const budgetMs = Math.max(1, Math.min(ownMs, deadline - Date.now()));
  const timeout = AbortSignal.timeout(budgetMs);
  const signal = AbortSignal.any([timeout, Context.current().cancellationSignal]);
  const usage: ModelUsage[] = [];
  const context = quickContext(deps, place, attempt, signal, usage);
  const startedAt = Date.now();
  const events = operationEvents(deps, { stage: place.stage.name, operation: plan }, context);
  try {
    const code = (): Promise<Effect> => executeBody(operation, plan, place.inputs, context);
    const effect = await untilAborted(events.run(code), timeout);
    context.log.debug({ durationMs: Date.now() - startedAt }, 'operation completed');
    events.completed();
    return { outcome: { effect, ...(usage.length > 0 && { usage }) } };
  } catch (error) {
    if (isCancelled(error, Context.current().cancellationSignal)) {
      events.cancelled();
      throw error;
    }
    // Its own timeout is a failure; the limits of fused groups are not, and an ordinary activity takes over.
    if (timeout.aborted && budgetMs !== plan.timeoutMs) {
      events.failed(timeoutFailure(budgetMs, attempt), true);
      return 'overran';
    }
    const thrown = failureOf(error);
    const last = attempt >= plan.retry.maximumAttempts || !thrown.retryable;
    context.log.warn({ err: error, type: thrown.type, last }, 'operation failed');
    const failure = timeout.aborted
      ? timeoutFailure(budgetMs, attempt)
      : { ...thrown, attempts: attempt };
    const ended = failed(deps, place, failure);
    events.failed(failure, !last, 'outcome' in ended ? { ignored: true } : {});
    const wait = timeout.aborted ? undefined : retryAfterMs(error);
    return { ...ended, ...(wait !== undefined && { retryAfterMs: wait }) };
  }
}

function failed(
  deps: ActivityDependencies,
  place: Place,
  failure: Failure,
): Exclude<Ended, 'overran'> {
  const { task, stage, operation } = place;
  const attempts = failure.attempts ?? 1;
  const last = !failure.retryable || attempts >= operation.retry.maximumAttempts;
  const named: Failure = { stage: stage.name, operation: operation.name, ...failure };
  if (last && ignores(deps, { pipeline: task.pipeline, stage: stage.name, operation }, named)) {
    return { outcome: { effect: { kind: 'ignored', failure: named } } };
  }
  return { failure: named };
}

function quickContext(
  deps: ActivityDependencies,
  { task, stage, operation: plan }: Place,
  attempt: number,
  signal: AbortSignal,
  usage: ModelUsage[],
): OperationContext {
  const run = runReference(Context.current().info, task.principal);
  return {
    options: plan.options ?? {},
    signal,
    log: deps.log.child({
      run: run.id,
      pipe: run.name,
      stage: stage.name,
      operation: plan.name,
      attempt,
    }),
    // A local activity has no heartbeat, and a quick operation no use for one.
    heartbeat: () => undefined,
    checkpoint: undefined,
    attempt,
    run,
    services: deps.services,
    model: plan.model === undefined ? undefined : deps.code.model(plan.model),
    recordUsage: (used) => usage.push(used),
  };
}

/** A promise's result, or the signal's reason when that comes first: a body may not look at its signal. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(new DOMException('The operation was aborted.', 'AbortError'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

function backoffMs(retry: RetryPlan, attempt: number): number {
  const wait = retry.initialIntervalMs * retry.backoffCoefficient ** (attempt - 1);
  return Math.min(wait, retry.maximumIntervalMs ?? retry.initialIntervalMs * 100);
}

function timeoutFailure(ms: number, attempts: number): Failure {
  return {
    type: FAILURE_TYPES.timeout,
    message: `It took longer than its timeout of ${String(ms)} ms, in every attempt.`,
    retryable: true,
    attempts,
  };
}
