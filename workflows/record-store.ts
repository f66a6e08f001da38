import {
  ActivityFailure,
  CancellationScope,
  CancelledFailure,
  proxyActivities,
  setWorkflowOptions,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { RecordPipelineActivities } from '../activities/record-pipeline/activities.js';
import type { RecordStoreActivities } from '../activities/record-store/activities.js';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';
import { FIND_STORE_ACTIVITY, type StorePlace } from '../src/record-pipeline/plan.js';
import {
  isCopying,
  STORE_QUESTION_ACTIVITY,
  STORE_QUESTION_FAILURES,
  STORE_QUESTION_LIMITS,
  type StoreQuestionArguments,
  type StoreReply,
} from '../src/record-pipeline/store-question.js';
import { onTheCurrentBuild } from './current-build.js';
import { runFailureOf } from './failure.js';

/** A worker that is silent for so long is taken for lost. */
const HEARTBEAT_TIMEOUT = '10s';

/** What an activity gets beyond the time of an answer: it gives up by itself first, and says why. */
const MARGIN_MS = 5_000;

/** The least wait for a worker that has the store, however long it was looked for. */
const LEAST_WAIT_MS = 1_000;

/**
 * Asks the store of a record pipeline something, wherever it is: only workers on its machine take the question. Nobody being there
 * in time is told like what the store refuses. Nothing is asked twice.
 */
export async function askRecordStore(args: StoreQuestionArguments): Promise<StoreReply> {
  const { pipeline, question, waitMs } = args;
  const began = Date.now();
  const { [FIND_STORE_ACTIVITY]: find } = proxyActivities<RecordPipelineActivities>({
    startToCloseTimeout: '10s',
    scheduleToStartTimeout: waitMs,
    retry: { maximumAttempts: 1 },
  });
  const { copyMs, readMs } = STORE_QUESTION_LIMITS;
  let store: StorePlace | undefined;
  try {
    store = await find(pipeline);
    const { [STORE_QUESTION_ACTIVITY]: ask } = proxyActivities<RecordStoreActivities>({
      taskQueue: store.taskQueue,
      startToCloseTimeout: (isCopying(question) ? copyMs : readMs) + MARGIN_MS,
      scheduleToStartTimeout: Math.max(LEAST_WAIT_MS, waitMs - (Date.now() - began)),
      heartbeatTimeout: HEARTBEAT_TIMEOUT,
      retry: { maximumAttempts: 1 },
    });
    return { store, ...(await ask({ pipeline, question })) };
  } catch (error) {
    // Who cancels the workflow wants no answer; a worker that stops cancels what it does, too.
    if (CancellationScope.current().consideredCancelled) throw error;
    if (!(error instanceof ActivityFailure)) throw error;
    const refused = failureOf(args, store, error);
    return { refused, ...(store !== undefined && { store }) };
  }
}

function failureOf(
  args: StoreQuestionArguments,
  store: StorePlace | undefined,
  { cause }: ActivityFailure,
): Failure {
  if (cause instanceof TimeoutFailure) return timedOut(args, store, cause.timeoutType);
  if (cause instanceof CancelledFailure)
    return {
      type: FAILURE_TYPES.workerShutdown,
      message: 'The worker that has the store stopped before it had answered. Ask again.',
      retryable: true,
    };
  const failure = runFailureOf(cause);
  if (failure.type !== FAILURE_TYPES.recordPipelineNotRegistered) return failure;
  // Another worker may have it: they are being deployed, perhaps.
  return away(`${failure.message} Deploy it, and ask again.`);
}

function timedOut(
  { pipeline, waitMs }: StoreQuestionArguments,
  store: StorePlace | undefined,
  type: TimeoutFailure['timeoutType'],
): Failure {
  const seconds = String(Math.round(waitMs / 1_000));
  if (type === 'SCHEDULE_TO_START' && store === undefined)
    return away(
      `No worker has said within ${seconds} s where the store of "${pipeline}" is. Start one (millrace worker, millrace dev).`,
    );
  if (type === 'SCHEDULE_TO_START')
    return away(
      `No worker has the store ${store?.id ?? ''} of "${pipeline}"; it was waited for ${seconds} s. It was on ${store?.host ?? ''} last: start a worker there (millrace worker, millrace dev).`,
    );
  if (type === 'HEARTBEAT')
    return {
      type: FAILURE_TYPES.workerLost,
      message: 'The worker that has the store stopped answering. Ask again.',
      retryable: true,
    };
  return {
    type: FAILURE_TYPES.timeout,
    message: 'The worker that has the store took too long to answer. Ask again, or for less.',
    retryable: true,
  };
}

function away(message: string): Failure {
  return { type: STORE_QUESTION_FAILURES.away, message, retryable: true };
}

setWorkflowOptions(onTheCurrentBuild, askRecordStore);
