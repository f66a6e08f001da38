import {
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
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
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import { detailsOf, endingOf, failureOf, isRetryable, runError, typeOf } from './flow-failure.js';
import { NO_TROUBLE, troubleAfter, type Trouble } from './flow-trouble.js';
import { continueWhereSuggested } from './long-history.js';
import { MAX_SUMMARY_CHARACTERS } from './operation.js';
import { withinTimeout } from './run-timeout.js';

/** A worker that is silent for so long is taken for lost, and the work goes on elsewhere. */
const HEARTBEAT_TIMEOUT_MS = 10_000;

/** Time that an attempt has beyond its batches: to wait for a catalog that is away, and to say that a batch took too long. */
const ATTEMPT_MARGIN_MS = 150_000;

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
    await continueWhereSuggested(() => continueAsNew<typeof interpretDataFlow>(args));
  }
}

type Planned = FlowArguments & { readonly plan: FlowPlan };

/** Moves rows, one activity after the other, until there are no more. What was moved is safe, whatever comes after it. */
async function moveAll(args: Planned): Promise<RowCounts> {
  const move = activityOf(args);
  let trouble = NO_TROUBLE;
  for (;;) {
    try {
      const attempt = trouble.failures + 1;
      const outcome = await move({ ...refOf(args), plan: args.plan, attempt });
      trouble = NO_TROUBLE;
      setCurrentDetails(details(outcome));
      if (outcome.done) return outcome.counts;
    } catch (error) {
      if (isCancellation(error)) throw error;
      trouble = troubleAfter(trouble, error);
      await overcome(args, trouble, error);
    }
    await continueWhereSuggested(() => continueAsNew<typeof interpretDataFlow>(args));
  }
}

/** Waits for what may help. @throws the error when nothing does */
async function overcome({ flow, plan }: Planned, trouble: Trouble, error: unknown): Promise<void> {
  switch (typeOf(error)) {
    // A worker that stops hands over at once.
    case FAILURE_TYPES.workerShutdown:
      return;
    case FAILURE_TYPES.flowNotRegistered:
      return waitForCode(flow, trouble.lacking - 1);
    case FAILURE_TYPES.workerLost:
      if (trouble.lost >= FLOW_LIMITS.lostActivities) throw error;
      return;
    default: {
      const { maximumAttempts, initialIntervalMs, backoffCoefficient, maximumIntervalMs } =
        plan.retry;
      if (!isRetryable(error) || trouble.failures >= maximumAttempts) throw error;
      const backoffMs = initialIntervalMs * backoffCoefficient ** (trouble.failures - 1);
      const longestMs = maximumIntervalMs ?? initialIntervalMs * MAX_BACKOFF;
      const waitMs = detailsOf(error).waitMs ?? Math.min(longestMs, backoffMs);
      setCurrentDetails(`Failed, and tries again: ${failureOf(error).message}`);
      await sleep(Math.round(waitMs), { summary: `attempt ${String(trouble.failures + 1)}` });
    }
  }
}

/** Temporal's own: how much longer than the first wait the longest is. */
const MAX_BACKOFF = 100;

function activityOf({ plan, timeoutMs }: Planned): (task: MoveTask) => Promise<MoveOutcome> {
  const { work } = plan;
  const options = {
    startToCloseTimeout:
      work.kind === 'body'
        ? // The run's own clock comes first.
          timeoutMs + TIMEOUT_MARGIN_MS
        : work.batchTimeoutMs + FLOW_LIMITS.msPerActivity + ATTEMPT_MARGIN_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    // Shown by the Temporal UI beside the activity.
    summary:
      work.kind === 'body'
        ? 'run'
        : `${work.source.class_name} › ${work.sink.class_name}`.slice(0, MAX_SUMMARY_CHARACTERS),
    // Attempts are counted here: one that gets further before it fails is no failure of those before it.
    retry: { maximumAttempts: 1 },
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
