import { Context } from '@temporalio/activity';
import type { ModelUsage, OperationContext } from '../../src/pipeline/context.js';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import type { OperationOutcome, OperationTask } from '../../src/pipeline/operation-task.js';
import { publishStopped } from '../attempt-events.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf, isCancelled, retryAfterMs } from '../failure.js';
import { attemptOf, handedBackFailure, stoppedFailure } from '../handed-back.js';
import { runReference } from '../run-reference.js';
import { heartbeatOf, startHeartbeat, type Heartbeat } from '../heartbeat.js';
import { ignores } from './ignores.js';
import { operationEvents } from './operation-events.js';
import { executeBody } from './operation-body.js';

/**
 * Runs one operation as an activity of its own.
 *
 * @throws ApplicationFailure whose details are the {@link Failure}; `OperationNotRegistered` when this worker's code lacks
 *   the operation, which the workflow waits out
 */
export async function runOperation(
  deps: ActivityDependencies,
  task: OperationTask,
): Promise<OperationOutcome> {
  const { operation: plan } = task;
  const activity = Context.current();
  const operation = deps.code.operation(plan.type);
  if (operation === undefined) {
    const run = runReference(activity.info, task.principal);
    deps.log.warn(
      { run: run.id, pipe: run.name, stage: task.stage, operation: plan.type },
      'this worker lacks an operation that a run needs; the run waits for a worker that has it',
    );
    const { checkpoint } = heartbeatOf(activity, task.handedBack);
    throw handedBackFailure(
      { type: FAILURE_TYPES.operationNotRegistered, message: notRegistered(plan.type) },
      { attempt: attemptOf(activity, task.handedBack), checkpoint: checkpoint() },
    );
  }
  // Only asked whether this worker has the code.
  if (task.probe === true) return { effect: { kind: 'sets', sets: [] } };
  const startedAt = Date.now();
  const usage: ModelUsage[] = [];
  const heartbeat = startHeartbeat(activity, task.handedBack);
  const context = operationContext(deps, task, activity, heartbeat, usage);
  const events = operationEvents(deps, { stage: task.stage, operation: plan }, context);
  try {
    // A body that ignores its signal must not keep a timed-out attempt, or a worker that stops, from ending.
    const effect = await Promise.race([
      events.run(() => executeBody(operation, plan, task.inputs, context)),
      activity.cancelled,
    ]);
    context.log.debug({ durationMs: Date.now() - startedAt }, 'operation completed');
    events.completed();
    return { effect, ...(usage.length > 0 && { usage }) };
  } catch (error) {
    if (isCancelled(error, activity.cancellationSignal)) {
      const stopped = stoppedFailure(activity, 'operation', context.attempt, heartbeat);
      publishStopped(events, stopped);
      throw stopped ?? error;
    }
    const failure: Failure = { ...failureOf(error), attempts: context.attempt };
    const last = !failure.retryable || context.attempt >= plan.retry.maximumAttempts;
    context.log.warn({ err: error, type: failure.type, last }, 'operation failed');
    const ignored = last && ignores(deps, task, failure);
    events.failed(failure, !last, ignored ? { ignored } : {});
    if (ignored) {
      return { effect: { kind: 'ignored', failure }, ...(usage.length > 0 && { usage }) };
    }
    throw applicationFailure(failure, error, retryAfterMs(error));
  } finally {
    heartbeat.stop();
  }
}

function operationContext(
  deps: ActivityDependencies,
  task: OperationTask,
  activity: Context,
  heartbeat: Heartbeat,
  usage: ModelUsage[],
): OperationContext {
  const { operation: plan, stage, principal } = task;
  const run = runReference(activity.info, principal);
  const attempt = attemptOf(activity, task.handedBack);
  return {
    options: plan.options ?? {},
    signal: activity.cancellationSignal,
    log: deps.log.child({ run: run.id, pipe: run.name, stage, operation: plan.name, attempt }),
    heartbeat: heartbeat.beat,
    checkpoint: heartbeat.checkpoint(),
    attempt,
    run,
    services: deps.services,
    model: plan.model === undefined ? undefined : deps.code.model(plan.model),
    recordUsage: (used) => usage.push(used),
  };
}

function notRegistered(type: string): string {
  return `This worker's code has no operation "${type}".`;
}
