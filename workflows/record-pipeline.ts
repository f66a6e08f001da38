import {
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { RecordPipelineActivities } from '../activities/record-pipeline/activities.js';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';
import { RECORD_LIMITS } from '../src/record-pipeline/limits.js';
import {
  BEGIN_RECORDS_ACTIVITY,
  DRAIN_RECORDS_ACTIVITY,
  END_RECORDS_ACTIVITY,
  FIND_STORE_ACTIVITY,
  type DrainOutcome,
  type DrainPlace,
  type DrainTask,
  type EndRecordsTask,
  type RecordArguments,
  type RecordResult,
  type StorePlace,
} from '../src/record-pipeline/plan.js';
import { applicationFailure, causeOf, runError, runFailureOf } from './failure.js';
import { continueWhereSuggested } from './long-history.js';
import { MAX_SUMMARY_CHARACTERS } from './operation.js';
import { withinTimeout } from './run-timeout.js';

/** A worker that is silent for so long is taken for lost. */
const HEARTBEAT_TIMEOUT = '10s';

/** What an activity has beyond the time for which it drains: the bodies that it has begun end first. */
const ATTEMPT_MARGIN_MS = 60 * 60_000;

/** Waits between two looks for a worker that has the code, or the store, or whose disk has room again. */
const WAIT = { firstMs: 1_000, factor: 1.5, maximumMs: 60_000 } as const;

/** How often the store of a run that was cancelled, or has failed, is told that it is over, while no worker has it. */
const ROUNDS_TO_END = 2;

/** An activity that no worker has taken for so long is asked for again, and the run says what it waits for. */
const UNTAKEN = '20s';

const { [FIND_STORE_ACTIVITY]: findStore } = proxyActivities<RecordPipelineActivities>({
  startToCloseTimeout: '30s',
  scheduleToStartTimeout: UNTAKEN,
  retry: { maximumAttempts: 1 },
});

/** Version 1 of the rules: drains the steps of a record pipeline until none has records left. */
export async function interpretRecordPipeline(args: RecordArguments): Promise<RecordResult> {
  let store = args.store;
  const end = async (status: EndRecordsTask['status']): Promise<void> => {
    const { pipeline, run } = args;
    const place = store;
    if (place === undefined) return;
    const tell = (): Promise<void> =>
      onStore(place)[END_RECORDS_ACTIVITY]({ pipeline, run, status });
    // Also when the run was cancelled: its own scope would refuse to start anything.
    await CancellationScope.nonCancellable(() =>
      status === 'success'
        ? persistently(args, place, tell)
        : // Nobody waits for days to cancel something: the next run finds that this one is over.
          persistently(args, place, tell, ROUNDS_TO_END).catch(() => undefined),
    );
  };
  let outcome: DrainOutcome;
  try {
    outcome = await withinTimeout(args.timeoutMs, async () => {
      store ??= await persistently(args, undefined, () => findStore(args.pipeline));
      return drainAll({ ...args, store });
    });
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    await end(isCancellation(error) ? 'cancelled' : 'failed');
    throw runError(error);
  }
  const { errors, counts } = outcome;
  await end(errors.length === 0 ? 'success' : 'failed');
  if (errors.length > 0) throw recordsFailed(outcome);
  return { run: args.run, ...counts };
}

type Placed = RecordArguments & { readonly store: StorePlace };

async function drainAll(args: Placed): Promise<DrainOutcome> {
  const { pipeline, run, store } = args;
  const { workflowId } = workflowInfo();
  const { [BEGIN_RECORDS_ACTIVITY]: begin, [DRAIN_RECORDS_ACTIVITY]: drain } = onStore(store);
  if (args.place === undefined)
    await persistently(args, store, () => begin({ pipeline, run, workflowId }));
  let place: DrainPlace = args.place ?? { step: 0, found: false };
  for (;;) {
    const task: DrainTask = {
      pipeline,
      run,
      place,
      ...(args.retryFailed === true && { retryFailed: true }),
    };
    const outcome = await persistently({ ...args, place }, store, () => drain(task));
    setCurrentDetails(details(outcome));
    if (outcome.done) return outcome;
    place = outcome.place;
    await continueWhereSuggested(() =>
      continueAsNew<typeof interpretRecordPipeline>({ ...args, place }),
    );
  }
}

/** Activities that the workers take which have the store. */
function onStore({ taskQueue }: StorePlace): RecordPipelineActivities {
  return proxyActivities<RecordPipelineActivities>({
    taskQueue,
    startToCloseTimeout: RECORD_LIMITS.msPerActivity + ATTEMPT_MARGIN_MS,
    scheduleToStartTimeout: UNTAKEN,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    // Attempts are counted here.
    retry: { maximumAttempts: 1 },
    // The last thing that a cancelled attempt does is to tell that it ended: nothing is written behind the run's back.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });
}

/** Asks again, for as long as the run may take or for so many rounds, while what is missing may come: a worker, its code, room on its disk. */
async function persistently<T>(
  args: RecordArguments,
  store: StorePlace | undefined,
  ask: () => Promise<T>,
  mostRounds = Infinity,
): Promise<T> {
  let lost = 0;
  for (let round = 0; ; round += 1) {
    try {
      return await ask();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const type = typeOf(error);
      if (type === FAILURE_TYPES.workerLost) lost += 1;
      if (lost >= RECORD_LIMITS.lostActivities) throw error;
      const reason = waitsFor(args, store, error, type);
      if (reason === undefined || round + 1 >= mostRounds) throw error;
      setCurrentDetails(reason);
      const waitMs = Math.min(WAIT.maximumMs, WAIT.firstMs * WAIT.factor ** round);
      if (type !== FAILURE_TYPES.workerShutdown)
        await sleep(Math.round(waitMs), { summary: reason.slice(0, MAX_SUMMARY_CHARACTERS) });
    }
    // Waiting for days is a longer history than Temporal keeps.
    await continueWhereSuggested(() =>
      continueAsNew<typeof interpretRecordPipeline>({
        ...args,
        ...(store !== undefined && { store }),
      }),
    );
  }
}

/** What the run waits for after an error; undefined where nothing that may come helps. */
function waitsFor(
  { pipeline, queue }: RecordArguments,
  store: StorePlace | undefined,
  error: unknown,
  type: string,
): string | undefined {
  switch (type) {
    case UNTAKEN_TYPE:
      return store === undefined
        ? 'Waits for a worker'
        : `Waits for a worker that has the store ${store.id}; it was on ${store.host} last. Gone for good? Cancel this run, then: millrace records forget ${pipeline}`;
    case FAILURE_TYPES.recordPipelineNotRegistered:
      return `Waits for a worker whose code has the record pipeline **${pipeline}**`;
    case FAILURE_TYPES.workerLost:
    case FAILURE_TYPES.workerShutdown:
      return 'Goes on where it was';
    case 'StoreBusy':
      return queue === true ? `Waits for the store: ${messageOf(error)}` : undefined;
    case 'StoreUnusable':
      return isRetryable(error) ? `Tries again: ${messageOf(error)}` : undefined;
    default:
      return undefined;
  }
}

const UNTAKEN_TYPE = 'SCHEDULE_TO_START';

function typeOf(error: unknown): string {
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure) {
    if (cause.timeoutType === 'HEARTBEAT') return FAILURE_TYPES.workerLost;
    return cause.timeoutType === UNTAKEN_TYPE ? UNTAKEN_TYPE : FAILURE_TYPES.timeout;
  }
  return cause instanceof ApplicationFailure ? (cause.type ?? '') : '';
}

function isRetryable(error: unknown): boolean {
  const cause = causeOf(error);
  return cause instanceof ApplicationFailure && cause.nonRetryable !== true;
}

function messageOf(error: unknown): string {
  return runFailureOf(causeOf(error)).message;
}

function recordsFailed({ errors, counts }: DrainOutcome): ApplicationFailure {
  const [first] = errors;
  const more = counts.failed > 1 ? ` (and ${String(counts.failed - 1)} more)` : '';
  const failure: Failure = {
    type: FAILURE_TYPES.recordsFailed,
    message: `${first?.record ?? ''} ${String(first?.recordId ?? '')} failed in step "${first?.step ?? ''}": ${first?.name ?? ''}: ${first?.message ?? ''}${more}`,
    retryable: false,
    details: errors.map(({ step, record, recordId, name, message }) => ({
      step,
      record,
      record_id: recordId,
      name,
      message: message.slice(0, 500),
    })),
  };
  return applicationFailure(failure);
}

function details({ step, counts, queues, recordsPerSecond }: DrainOutcome): string {
  const at = step === undefined ? '' : `**${step}**: ${String(queues[step] ?? 0)} left. `;
  return `${at}Completed ${String(counts.completed)}, failed ${String(counts.failed)}, ${String(Math.round(recordsPerSecond))} records a second`;
}
