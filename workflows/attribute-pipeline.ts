import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  ContinueAsNew,
  continueAsNew,
  defineSignal,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { AttributePipelineActivities } from '../activities/attribute-pipeline/activities.js';
import {
  BEGIN_ATTRIBUTES_ACTIVITY,
  BUDGET_CHANGED_SIGNAL,
  COMPUTE_ATTRIBUTES_ACTIVITY,
  END_ATTRIBUTES_ACTIVITY,
  type AttributeArguments,
  type AttributePlan,
  type AttributeProgress,
  type AttributeResult,
  type AttributesBegun,
  type BudgetReached,
  type ComputeOutcome,
  type EndAttributesTask,
  type EntityFailure,
} from '../src/attribute-pipeline/plan.js';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import { evaluateAttributes } from './attribute-questions.js';
import { applicationFailure, causeOf, runError, runFailureOf } from './failure.js';
import { continueWhereSuggested } from './long-history.js';
import { MAX_SUMMARY_CHARACTERS } from './operation.js';
import { withinTimeout } from './run-timeout.js';

/** A worker that is silent for so long is taken for lost. */
const HEARTBEAT_TIMEOUT = '10s';

/** Longest time of one activity: it stops by itself after the batch in which its ten seconds are over. */
const COMPUTE_TIMEOUT = '1h';

/** Waits between two attempts, and between two looks for what may come. */
const WAIT = { firstMs: 1_000, factor: 1.5, maximumMs: 60_000 } as const;

/** Attempts that fail in a row, without a batch written between them, before the run does. */
const MOST_FAILURES = 3;

/** Activities whose worker stopped answering, in a row. */
const MOST_LOST = 20;

const { [BEGIN_ATTRIBUTES_ACTIVITY]: begin, [END_ATTRIBUTES_ACTIVITY]: end } =
  proxyActivities<AttributePipelineActivities>({
    startToCloseTimeout: '1m',
    retry: { maximumAttempts: 1 },
  });

const { [COMPUTE_ATTRIBUTES_ACTIVITY]: compute } = proxyActivities<AttributePipelineActivities>({
  startToCloseTimeout: COMPUTE_TIMEOUT,
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  // Attempts are counted here.
  retry: { maximumAttempts: 1 },
  // The last thing that a cancelled attempt does is to tell that it ended: nothing is written behind the run's back.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

const budgetChanged = defineSignal(BUDGET_CHANGED_SIGNAL);

/** Version 1 of the rules: computes an attribute's values, batch by batch, until no entity is left to look at. */
export async function interpretAttributePipeline(
  args: AttributeArguments,
): Promise<AttributeResult> {
  const budget = new BudgetWatch();
  let outcome: ComputeOutcome;
  let { begun } = args;
  try {
    outcome = await withinTimeout(args.timeoutMs, async () => {
      begun ??= await claim(args);
      return computeAll({ ...args, begun }, budget);
    });
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const isRefused = typeOf(error) === FAILURE_TYPES.pipelineBusy;
    await close(args, isRefused || isCancellation(error) ? 'aborted' : 'failed', error);
    throw runError(error);
  }
  const { failure, attributes } = outcome;
  const failed = failure === undefined ? undefined : entityFailed(failure);
  await close(args, failed === undefined ? 'completed' : 'failed', failed);
  if (failed !== undefined) throw failed;
  if (begun?.evals === true) await runEvals(args);
  return resultOf(args, attributes);
}

type Begun = AttributeArguments & { readonly begun: AttributesBegun };

/** Claims the pipeline: by refusal or by waiting where another run has it, as was asked. */
async function claim(args: AttributeArguments): Promise<AttributesBegun> {
  return persistently(args, () => begin(args.run));
}

async function computeAll(args: Begun, budget: BudgetWatch): Promise<ComputeOutcome> {
  const { run, begun } = args;
  for (;;) {
    budget.seen();
    const outcome = await persistently(args, () => compute({ run, begun }));
    setCurrentDetails(details(begun.plan, outcome.attributes));
    if (outcome.done) return outcome;
    if (outcome.budget !== undefined) await budget.wait(begun.plan, outcome.budget);
    await continueWhereSuggested(() => continueAsNew<typeof interpretAttributePipeline>(args));
  }
}

/** What was computed is there, whatever becomes of the evals. */
async function runEvals({ entityType, attribute }: AttributeArguments): Promise<void> {
  try {
    await evaluateAttributes({
      entityType,
      attribute,
      all: false,
      since: new Date().toISOString(),
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('evals could not be run', { reason: messageOf(error) });
  }
}

/** Closes the run in the catalog. Also when it was cancelled: its own scope would refuse to start anything. */
async function close(
  args: AttributeArguments,
  status: EndAttributesTask['status'],
  error: unknown,
): Promise<void> {
  const message = error === undefined ? null : messageOf(error);
  const { run } = args;
  const follow = workflowInfo().parent === undefined;
  await CancellationScope.nonCancellable(() =>
    persistently(args, () => end({ run, status, message, follow })),
  );
}

/** Asks again while what is missing may come: a worker, its code, the catalog, the end of another run. */
async function persistently<T>(args: AttributeArguments, ask: () => Promise<T>): Promise<T> {
  const trouble = { failures: 0, lost: 0 };
  for (let round = 0; ; round += 1) {
    try {
      return await ask();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const type = typeOf(error);
      if (type === FAILURE_TYPES.workerLost) trouble.lost += 1;
      else if (!MAY_COME.has(type)) trouble.failures += 1;
      const reason = waitsFor(args, error, type, trouble);
      if (reason === undefined) throw error;
      setCurrentDetails(reason);
      const waitMs = Math.min(WAIT.maximumMs, WAIT.firstMs * WAIT.factor ** round);
      if (type !== FAILURE_TYPES.workerShutdown)
        await sleep(Math.round(waitMs), { summary: reason.slice(0, MAX_SUMMARY_CHARACTERS) });
    }
    await continueWhereSuggested(() => continueAsNew<typeof interpretAttributePipeline>(args));
  }
}

/** What is waited for however often it is not there. */
const MAY_COME: ReadonlySet<string> = new Set([
  FAILURE_TYPES.moduleNotRegistered,
  FAILURE_TYPES.catalogUnavailable,
  FAILURE_TYPES.pipelineBusy,
  FAILURE_TYPES.workerShutdown,
]);

/** What the run waits for after an error; undefined where nothing that may come helps. */
function waitsFor(
  { queue, entityType, attribute }: AttributeArguments,
  error: unknown,
  type: string,
  { failures, lost }: { readonly failures: number; readonly lost: number },
): string | undefined {
  switch (type) {
    case FAILURE_TYPES.moduleNotRegistered:
      return `Waits for a worker that has the modules of **${entityType}.${attribute}**: ${messageOf(error)}`;
    case FAILURE_TYPES.catalogUnavailable:
      return `Waits for the catalog: ${messageOf(error)}`;
    case FAILURE_TYPES.pipelineBusy:
      return queue === true ? `Waits for another run: ${messageOf(error)}` : undefined;
    case FAILURE_TYPES.workerLost:
      return lost < MOST_LOST ? 'Goes on where it was' : undefined;
    case FAILURE_TYPES.workerShutdown:
    case 'RunFenceLost':
      return failures < MOST_FAILURES ? 'Goes on where it was' : undefined;
    default:
      return isRetryable(error) && failures < MOST_FAILURES
        ? `Tries again: ${messageOf(error)}`
        : undefined;
  }
}

/** Waits until somebody gives more, or a day has passed. */
class BudgetWatch {
  #changed = false;

  constructor() {
    setHandler(budgetChanged, () => {
      this.#changed = true;
    });
  }

  /** What was changed before now is looked at now. */
  seen(): void {
    this.#changed = false;
  }

  async wait({ entityType, attribute }: AttributePlan, reached: BudgetReached): Promise<void> {
    const reason = budgetText(reached);
    setCurrentDetails(`**${entityType}.${attribute}**: ${reason}`);
    const timer = new CancellationScope();
    const waiting = timer.run(() =>
      sleep(WAIT.maximumMs, { summary: reason.slice(0, MAX_SUMMARY_CHARACTERS) }),
    );
    try {
      await Promise.race([waiting, condition(() => this.#changed)]);
    } finally {
      timer.cancel();
      await waiting.catch(() => undefined);
    }
  }
}

/** Short enough to be read whole where Temporal shows it. */
function budgetText({ kind, budget, spent }: BudgetReached): string {
  return `Waits: ${kind} budget ${String(budget)} used up (${spent.toFixed(4)}): raise or cancel`;
}

function typeOf(error: unknown): string {
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure)
    return cause.timeoutType === 'HEARTBEAT' ? FAILURE_TYPES.workerLost : FAILURE_TYPES.timeout;
  return cause instanceof ApplicationFailure ? (cause.type ?? '') : '';
}

function isRetryable(error: unknown): boolean {
  const cause = causeOf(error);
  return !(cause instanceof ApplicationFailure) || cause.nonRetryable !== true;
}

function messageOf(error: unknown): string {
  return runFailureOf(isCancellation(error) ? new CancelledFailure('') : causeOf(error)).message;
}

function entityFailed({ entityId, module, message }: EntityFailure): ApplicationFailure {
  return applicationFailure({
    type: FAILURE_TYPES.entityFailed,
    message: `Entity ${entityId} failed in module ${module}: ${message}`,
    retryable: false,
    details: { entity_id: entityId, module, message },
  });
}

function resultOf(
  { run }: AttributeArguments,
  { total: _, entitiesPerSecond: __, ...counts }: AttributeProgress,
): AttributeResult {
  return { run, ...counts };
}

function details(plan: AttributePlan, progress: AttributeProgress): string {
  const { processed, failed, skipped, unchanged, total, cost } = progress;
  const looked = processed + failed + skipped + unchanged;
  const paid = cost === null ? '' : `, cost ${cost.toFixed(4)}`;
  return `**${plan.entityType}.${plan.attribute}** version ${String(plan.version)}: ${String(looked)} of ${String(total)}. Computed ${String(processed)}, unchanged ${String(unchanged)}, skipped ${String(skipped)}, failed ${String(failed)}${paid}`;
}
