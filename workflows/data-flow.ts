import {
  ActivityFailure,
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
import type { DataFlowActivities } from '../activities/data-flow/activities.js';
import { FLOW_LIMITS } from '../src/data-flow/limits.js';
import { NO_ROWS, type RowCounts } from '../src/data-flow/row.js';
import {
  BEGIN_ACTIVITY,
  BODY_ACTIVITY,
  END_ACTIVITY,
  MOVE_ACTIVITY,
  type EndTask,
  type FlowArguments,
  type FlowPlan,
  type FlowResult,
  type MoveOutcome,
  type MoveTask,
} from '../src/data-flow/run.js';
import { TIMEOUT_MARGIN_MS } from '../src/definition/run-timeout.js';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';
import { applicationFailure, runFailureOf } from './failure.js';
import { MAX_SUMMARY_CHARACTERS } from './operation.js';
import { withinTimeout } from './run-timeout.js';

/** A worker that is silent for so long is taken for lost, and the work goes on elsewhere. */
const HEARTBEAT_TIMEOUT_MS = 10_000;

/** Time that a batch has beyond its limit to say itself that it took too long. */
const BATCH_MARGIN_MS = 10_000;

/** Waits between two looks for a worker that has the flow's code, or is there at all. */
const CODE_WAIT = { firstMs: 500, factor: 1.3, maximumMs: 30_000 } as const;

/** Recording in the catalog is tried for so long: a database that is away comes back, and nothing may be lost. */
const RECORD = {
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '7d',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
} as const;

const { [BEGIN_ACTIVITY]: begin, [END_ACTIVITY]: end } =
  proxyActivities<DataFlowActivities>(RECORD);

/** Version 1 of the rules: runs a data flow until its source has no more. */
export async function interpretDataFlow(args: FlowArguments): Promise<FlowResult> {
  let counts = NO_ROWS;
  try {
    await withinTimeout(args.timeoutMs, async () => {
      const plan = args.plan ?? (await planOf(args));
      // Somebody has closed the run already: there is nothing left to do, and nothing to record.
      if (plan === undefined) return;
      counts = await moveAll({ ...args, plan });
    });
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    await record({ ...refOf(args), ...endingOf(error) });
    throw runError(error);
  }
  await record({ ...refOf(args), status: 'success' });
  const { read, written, rejected } = counts;
  return { run_seq: args.runSeq, rows_read: read, rows_written: written, rows_rejected: rejected };
}

function refOf({ flow, runSeq }: FlowArguments): {
  readonly flow: string;
  readonly runSeq: number;
} {
  return { flow, runSeq };
}

/** Also when the run was cancelled: its own scope would refuse to start anything. */
async function record(task: EndTask): Promise<void> {
  await CancellationScope.nonCancellable(() => end(task));
}

/** Finds out what the run does. Waits for a worker that has the flow's code. */
async function planOf(args: FlowArguments): Promise<FlowPlan | undefined> {
  for (let round = 0; ; round += 1) {
    try {
      const begun = await begin(refOf(args));
      return 'over' in begun ? undefined : begun.plan;
    } catch (error) {
      if (isCancellation(error) || typeOf(error) !== FAILURE_TYPES.flowNotRegistered) throw error;
      await waitForCode(args.flow, round);
    }
    // A day without the code is a longer history than Temporal keeps.
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof interpretDataFlow>(args);
  }
}

type Planned = FlowArguments & { readonly plan: FlowPlan };

/** Moves rows, one activity after the other, until there are no more. */
async function moveAll(args: Planned): Promise<RowCounts> {
  let lost = 0;
  for (let round = 0; ;) {
    try {
      const outcome = await activityOf(args)({ ...refOf(args), plan: args.plan });
      [lost, round] = [0, 0];
      setCurrentDetails(details(outcome));
      if (outcome.done) return outcome.counts;
    } catch (error) {
      if (isCancellation(error)) throw error;
      const type = typeOf(error);
      if (type === FAILURE_TYPES.workerLost) lost += 1;
      const again = AGAIN.includes(type) && lost < FLOW_LIMITS.lostActivities;
      if (!again) throw error;
      // What was moved is safe. A stopped worker hands over at once; for code that is missing, others are asked.
      if (type === FAILURE_TYPES.flowNotRegistered) await waitForCode(args.flow, round);
      round += 1;
    }
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof interpretDataFlow>(args);
  }
}

/** Failures after which the work goes on elsewhere, at the cost of no attempt. */
const AGAIN: readonly string[] = [
  FAILURE_TYPES.workerShutdown,
  FAILURE_TYPES.flowNotRegistered,
  FAILURE_TYPES.workerLost,
];

function activityOf({ plan, timeoutMs }: Planned): (task: MoveTask) => Promise<MoveOutcome> {
  const { maximumAttempts, initialIntervalMs, backoffCoefficient, maximumIntervalMs } = plan.retry;
  const { work } = plan;
  const options = {
    startToCloseTimeout:
      work.kind === 'body'
        ? // The run's own clock comes first.
          timeoutMs + TIMEOUT_MARGIN_MS
        : work.batchTimeoutMs + FLOW_LIMITS.msPerActivity + BATCH_MARGIN_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    // Shown by the Temporal UI beside the activity.
    summary:
      work.kind === 'body'
        ? 'run'
        : `${work.source.class_name} › ${work.sink.class_name}`.slice(0, MAX_SUMMARY_CHARACTERS),
    retry: {
      maximumAttempts,
      initialInterval: initialIntervalMs,
      backoffCoefficient,
      ...(maximumIntervalMs !== undefined && { maximumInterval: maximumIntervalMs }),
    },
    // The last thing that a cancelled attempt does is to tell that it ended: nothing is written behind the run's back.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  } as const;
  const activities = proxyActivities<DataFlowActivities>(options);
  return work.kind === 'body' ? activities[BODY_ACTIVITY] : activities[MOVE_ACTIVITY];
}

async function waitForCode(flow: string, round: number): Promise<void> {
  const waitMs = Math.min(CODE_WAIT.maximumMs, CODE_WAIT.firstMs * CODE_WAIT.factor ** round);
  setCurrentDetails(`Waits for a worker whose code has the data flow **${flow}**`);
  await sleep(Math.round(waitMs), { summary: 'a worker that has the code' });
}

function details({ counts, fraction, rowsPerSecond }: MoveOutcome): string {
  const share = fraction === undefined ? '' : ` (${String(Math.floor(fraction * 100))} %)`;
  const { read, written, rejected } = counts;
  return `Read ${String(read)}${share}, written ${String(written)}, rejected ${String(rejected)}, ${String(Math.round(rowsPerSecond))} rows a second`;
}

/** The type of the failure that an activity ended with. */
function typeOf(error: unknown): string {
  if (!(error instanceof ActivityFailure)) return '';
  const { cause } = error;
  if (cause instanceof TimeoutFailure)
    return cause.timeoutType === 'HEARTBEAT' ? FAILURE_TYPES.workerLost : FAILURE_TYPES.timeout;
  return cause instanceof ApplicationFailure ? (cause.type ?? '') : '';
}

/** What the run has ended with, as an error that says it by itself. */
function runError(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) return error;
  return applicationFailure(failureOf(error), error);
}

function failureOf(error: unknown): Failure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    return typeOf(error) === FAILURE_TYPES.workerLost
      ? {
          type: FAILURE_TYPES.workerLost,
          message: 'The workers that moved it stopped answering, time after time.',
          retryable: true,
        }
      : {
          type: 'BatchTimeout',
          message: 'A batch took longer than its timeout (batchTimeout), in every attempt.',
          retryable: false,
        };
  }
  return runFailureOf(cause);
}

function endingOf(error: unknown): Omit<EndTask, 'flow' | 'runSeq'> {
  if (isCancellation(error)) return { status: 'cancelled', errorMessage: 'The run was cancelled.' };
  const { message } = failureOf(error);
  const backtrace = stackOf(error);
  return {
    status: 'failed',
    errorMessage: message,
    ...(backtrace !== undefined && { errorBacktrace: backtrace }),
  };
}

/** Where it was thrown in the code of the flow: the innermost cause that has a stack. */
function stackOf(error: unknown): string | undefined {
  let found: string | undefined;
  for (
    let cause = error instanceof ActivityFailure ? error.cause : error;
    cause instanceof Error;
    cause = cause.cause
  )
    found = cause.stack !== undefined && cause.stack !== '' ? cause.stack : found;
  return found;
}
