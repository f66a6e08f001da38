import { Context } from '@temporalio/activity';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { backoffMs } from '../../src/task/backoff.js';
import type { StepHandler } from '../../src/task/handler.js';
import { stepContext, type StepContext } from '../../src/task/step-context.js';
import type { StepOutcome, StepTask } from '../../src/task/step-outcome.js';
import { AttemptEvents, publishStopped } from '../attempt-events.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, isCancelled, retryAfterMs } from '../failure.js';
import { attemptOf, handedBackFailure, stoppedFailure } from '../handed-back.js';
import { heartbeatOf, startHeartbeat, type Heartbeat } from '../heartbeat.js';
import { runReference } from '../run-reference.js';
import { executeHandler, stepFailureOf } from './step-body.js';
import { stepCompleted, stepFailed, type PublishingStep } from './step-events.js';

/**
 * Runs one attempt of a step.
 *
 * @throws ApplicationFailure whose details are the {@link Failure}; `HandlerNotRegistered` when this worker's code lacks the
 *   handler, which the workflow waits out
 */
export async function runStep(deps: ActivityDependencies, task: StepTask): Promise<StepOutcome> {
  const activity = Context.current();
  const handler = deps.code.stepHandler(task.step.handler?.callable ?? '');
  if (handler === undefined) throw notRegistered(deps, task, activity);
  // Only asked whether this worker has the code.
  if (task.probe === true) return { kind: 'step', result: null, handlerVersion: handler.version };
  const startedAt = Date.now();
  const heartbeat = startHeartbeat(activity, task.handedBack);
  const context = contextOf(deps, task, activity, heartbeat);
  const { log } = context;
  const step = publishing(deps, task, handler, context);
  try {
    // A body that ignores its signal must not keep a timed-out attempt, or a worker that stops, from ending.
    const outcome = await Promise.race([
      step.events.run(() => executeHandler(handler, task, context)),
      activity.cancelled,
    ]);
    log.debug({ durationMs: Date.now() - startedAt }, 'step completed');
    stepCompleted(step, outcome.result);
    return outcome;
  } catch (error) {
    if (!isCancelled(error, activity.cancellationSignal))
      throw attemptFailed(task, handler, context, error, step, longestWait(task, activity));
    const stopped = stoppedFailure(activity, 'step', context.attempt, heartbeat);
    publishStopped(step.events, stopped);
    throw stopped ?? error;
  } finally {
    heartbeat.stop();
  }
}

/** The longest wait before another attempt, and which limit it is. */
interface LongestWait {
  readonly ms: number;
  readonly limit: string;
}

/** What the template says, or what is left of the task's time: Temporal would give up a step that would have to wait longer. */
function longestWait(
  { maxRetryWaitMs = Infinity }: StepTask,
  { info: { scheduledTimestampMs, scheduleToCloseTimeoutMs } }: Context,
): LongestWait {
  const leftMs = Math.max(0, scheduledTimestampMs + scheduleToCloseTimeoutMs - Date.now());
  return maxRetryWaitMs <= leftMs
    ? { ms: maxRetryWaitMs, limit: 'max_wait_for_retry' }
    : { ms: leftMs, limit: 'what is left of max_duration' };
}

/** The failure of an attempt, with the wait before the next one. */
function attemptFailed(
  { step }: StepTask,
  { version }: StepHandler,
  { attempt, log }: StepContext,
  error: unknown,
  publishing: PublishingStep,
  longest: LongestWait,
): Error {
  const failure: Failure = { ...stepFailureOf(error), attempts: attempt, handlerVersion: version };
  const last = !failure.retryable || attempt >= step.retry.maximumAttempts;
  const fields = { err: error, type: failure.type, last, handlerVersion: version };
  log.warn(fields, 'step failed');
  const waitMs = retryAfterMs(error) ?? backoffMs(step.retry, attempt);
  const waits = !last && waitMs <= longest.ms;
  stepFailed(publishing, failure, waits);
  if (last) return applicationFailure(failure, error);
  if (waits) return applicationFailure(failure, error, waitMs);
  return applicationFailure(
    {
      type: FAILURE_TYPES.retryWait,
      message: `The next attempt would have to wait ${String(waitMs)} ms, and the most is ${String(longest.ms)} (${longest.limit}). ${failure.message}`,
      retryable: false,
      attempts: attempt,
      handlerVersion: version,
    },
    error,
  );
}

/** What is told of the attempt to whoever has subscribed. */
function publishing(
  { events }: ActivityDependencies,
  { name, step }: StepTask,
  { name: handler, version }: StepHandler,
  { attempt, run, log }: StepContext,
): PublishingStep {
  const parts = { step: step.name, step_name: name, handler, handler_version: version };
  return {
    events: new AttemptEvents(events, { subject: 'step', run, name, attempt, parts }),
    step: step.name,
    name,
    declared: step.events ?? [],
    log,
  };
}

function contextOf(
  deps: ActivityDependencies,
  task: StepTask,
  activity: Context,
  heartbeat: Heartbeat,
): StepContext {
  const { step, name, namespace, version, principal } = task;
  const run = runReference(activity.info, principal);
  const attempt = attemptOf(activity, task.handedBack);
  return stepContext({
    task: { name: task.task, namespace, version },
    step: { name, template: step.name },
    fields: task.fields,
    config: step.handler?.initialization ?? {},
    dependencies: task.dependencies,
    maximumAttempts: step.retry.maximumAttempts,
    approvalUrl: (asked) => approvalUrl(deps, task, activity, asked),
    ...(task.range !== undefined && { range: task.range }),
    ...(task.cursorField !== undefined && { cursorField: task.cursorField }),
    activity: {
      signal: activity.cancellationSignal,
      log: deps.log.child({ run: run.id, task: task.task, step: name, attempt }),
      heartbeat: heartbeat.beat,
      checkpoint: heartbeat.checkpoint(),
      attempt,
      run,
      services: deps.services,
    },
  });
}

async function approvalUrl(
  { approvals }: ActivityDependencies,
  { task }: StepTask,
  { info }: Context,
  step: string,
): Promise<string> {
  if (approvals === undefined)
    throw permanent(
      'There are no links for approvals: set approvals: { secret, url } in the configuration.',
    );
  const executionId = info.workflowExecution?.workflowId.split('/').at(-1) ?? '';
  return approvals.link({ name: task, executionId, step });
}

function notRegistered(deps: ActivityDependencies, task: StepTask, activity: Context): Error {
  const callable = task.step.handler?.callable ?? '';
  const run = runReference(activity.info, task.principal);
  deps.log.warn(
    { run: run.id, task: task.task, step: task.name, handler: callable },
    'this worker lacks a step handler that a task needs; the task waits for a worker that has it',
  );
  const { checkpoint } = heartbeatOf(activity, task.handedBack);
  return handedBackFailure(
    {
      type: FAILURE_TYPES.handlerNotRegistered,
      message: `This worker's code has no step handler "${callable}".`,
    },
    { attempt: attemptOf(activity, task.handedBack), checkpoint: checkpoint() },
  );
}
