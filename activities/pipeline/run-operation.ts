import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Json } from '../../src/definition/json.js';
import type { ModelUsage, OperationContext } from '../../src/pipeline/context.js';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import type {
  HandedBack,
  OperationOutcome,
  OperationTask,
} from '../../src/pipeline/operation-task.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf, isCancelled, retryAfterMs } from '../failure.js';
import { runReference } from '../run-reference.js';
import { heartbeatOf, startHeartbeat, type Heartbeat } from '../heartbeat.js';
import { ignores } from './ignores.js';
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
      { attempt: attemptOf(task, activity), checkpoint: checkpoint() },
    );
  }
  // Only asked whether this worker has the code.
  if (task.probe === true) return { effect: { kind: 'sets', sets: [] } };
  const startedAt = Date.now();
  const usage: ModelUsage[] = [];
  const heartbeat = startHeartbeat(activity, task.handedBack);
  const context = operationContext(deps, task, activity, heartbeat, usage);
  try {
    // A body that ignores its signal must not keep a timed-out attempt, or a worker that stops, from ending.
    const effect = await Promise.race([
      executeBody(operation, plan, task.inputs, context),
      activity.cancelled,
    ]);
    context.log.debug({ durationMs: Date.now() - startedAt }, 'operation completed');
    return { effect, ...(usage.length > 0 && { usage }) };
  } catch (error) {
    if (isCancelled(error, activity.cancellationSignal))
      throw stopped(activity, context, heartbeat) ?? error;
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

/** Counted over all activities that the operation has had. */
function attemptOf({ handedBack }: OperationTask, activity: Context): number {
  return (handedBack?.attempts ?? 0) + activity.info.attempt;
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
  const attempt = attemptOf(task, activity);
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

/** What a worker that stops hands back to the workflow; undefined when the attempt was cancelled for another reason. */
function stopped(
  activity: Context,
  context: OperationContext,
  heartbeat: Heartbeat,
): ApplicationFailure | undefined {
  if (activity.cancellationDetails?.workerShutdown !== true) return undefined;
  return handedBackFailure(
    {
      type: FAILURE_TYPES.workerShutdown,
      message: 'The worker stopped; the operation goes on elsewhere.',
    },
    { attempt: context.attempt, checkpoint: heartbeat.checkpoint() },
  );
}

/** Gives an attempt back to the workflow. Temporal's own retries would count it: the workflow schedules it again. */
function handedBackFailure(
  why: Pick<Failure, 'type' | 'message'>,
  { attempt, checkpoint }: { readonly attempt: number; readonly checkpoint: Json | undefined },
): ApplicationFailure {
  const handedBack: HandedBack = {
    attempts: attempt - 1,
    ...(checkpoint !== undefined && { checkpoint }),
  };
  return ApplicationFailure.create({ ...why, nonRetryable: true, details: [handedBack] });
}

function notRegistered(type: string): string {
  return `This worker's code has no operation "${type}".`;
}
