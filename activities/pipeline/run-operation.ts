import { Context } from '@temporalio/activity';
import type { Json } from '../../src/definition/json.js';
import type { ModelUsage, OperationContext, Progress } from '../../src/pipeline/context.js';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import type { OperationOutcome, OperationTask } from '../../src/pipeline/operation-task.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf, isCancelled, retryAfterMs } from '../failure.js';
import { runReference } from '../run-reference.js';
import { startHeartbeat } from '../heartbeat.js';
import { ignores } from './ignores.js';
import { executeBody } from './operation-body.js';

/**
 * Runs one operation as an activity of its own.
 *
 * @throws ApplicationFailure whose details are the {@link Failure}; `OperationNotRegistered` when this worker's code lacks
 *   the operation, which the workflow waits out
 */
export async function runOperation(deps: ActivityDependencies, task: OperationTask): Promise<OperationOutcome> {
  const { operation: plan } = task;
  const activity = Context.current();
  const operation = deps.code.operation(plan.type);
  if (operation === undefined) throw applicationFailure(notRegistered(plan.type));
  const startedAt = Date.now();
  const usage: ModelUsage[] = [];
  const heartbeat = startHeartbeat(activity);
  const context = operationContext(deps, task, activity, heartbeat.beat, usage);
  try {
    // A body that ignores its signal must not keep a timed-out attempt, or a worker that stops, from ending.
    const effect = await Promise.race([executeBody(operation, plan, task.inputs, context), activity.cancelled]);
    context.log.debug({ durationMs: Date.now() - startedAt }, 'operation completed');
    return { effect, ...(usage.length > 0 && { usage }) };
  } catch (error) {
    if (isCancelled(error, activity.cancellationSignal)) throw error;
    const failure: Failure = { ...failureOf(error), attempts: context.attempt };
    const last = !failure.retryable || context.attempt >= plan.retry.maximumAttempts;
    context.log.warn({ err: error, type: failure.type, last }, 'operation failed');
    if (last && ignores(deps, task, failure)) {
      return { effect: { kind: 'ignored', failure }, ...(usage.length > 0 && { usage }) };
    }
    throw applicationFailure(failure, error, retryAfterMs(error));
  } finally {
    heartbeat.stop();
  }
}

function operationContext(
  deps: ActivityDependencies,
  { operation: plan, stage, principal }: OperationTask,
  activity: Context,
  heartbeat: (progress: Progress, checkpoint?: Json) => void,
  usage: ModelUsage[],
): OperationContext {
  const run = runReference(activity.info, principal);
  return {
    options: plan.options ?? {},
    signal: activity.cancellationSignal,
    log: deps.log.child({ run: run.id, pipe: run.name, stage, operation: plan.name, attempt: activity.info.attempt }),
    heartbeat,
    checkpoint: checkpointOf(activity.info.heartbeatDetails),
    attempt: activity.info.attempt,
    run,
    services: deps.services,
    model: plan.model === undefined ? undefined : deps.code.model(plan.model),
    recordUsage: (used) => usage.push(used),
  };
}

function checkpointOf(details: unknown): Json | undefined {
  if (typeof details !== 'object' || details === null || !('checkpoint' in details)) return undefined;
  // Heartbeat details come out of JSON.
  return details.checkpoint as Json;
}

/** The failure that means: wait for a worker with newer code. */
function notRegistered(type: string): Failure {
  return {
    type: FAILURE_TYPES.operationNotRegistered,
    message: `This worker's code has no operation "${type}".`,
    // The workflow decides when to look again; Temporal's own retries would count as attempts.
    retryable: false,
  };
}
