import {
  CancellationScope,
  ChildWorkflowFailure,
  isCancellation,
  ParentClosePolicy,
  proxyLocalActivities,
  startChild,
  uuid4,
  workflowInfo,
  WorkflowIdReusePolicy,
  type ChildWorkflowHandle,
  type Workflow,
} from '@temporalio/workflow';
import type { PipelineActivities } from '../activities/pipeline/activities.js';
import { jsonBytes, type Json, type JsonObject } from '../src/definition/json.js';
import { TIMEOUT_MARGIN_MS } from '../src/definition/run-timeout.js';
import { payloadFailure } from '../src/pipeline/payload-limit.js';
import type { Pipeline, PipelineInput, PipelineOutput } from '../src/pipeline/pipeline.js';
import {
  PLAN_ACTIVITY,
  startArguments,
  startSummary,
  type PipelineArguments,
  type PlannedPipeline,
} from '../src/pipeline/start.js';
import { CommandBudget } from './command-budget.js';
import { applicationFailure, planningFailureOf, runFailureOf } from './failure.js';

/** How a pipeline is started as a child. */
export interface ChildPipelineOptions {
  /**
   * What becomes of the pipeline's run when the workflow ends before it: `REQUEST_CANCEL` unless set, so that its operations can
   * tidy up. `ABANDON` lets it go on.
   */
  readonly parentClosePolicy?: ParentClosePolicy;
}

/** A pipeline's run that a workflow has started. */
export interface ChildPipeline<Result = Json> {
  /** The workflow id: `pipeline/summarize/1f6f…`. */
  readonly id: string;
  /** The last part of the id, as the HTTP API has it. */
  readonly executionId: string;
  /** Waits for the result. @throws what {@link executePipeline} throws */
  result(): Promise<Result>;
}

type Input<P extends Pipeline | undefined> = P extends Pipeline ? PipelineInput<P> : JsonObject;
type Result<P extends Pipeline | undefined> = P extends Pipeline ? PipelineOutput<P> : Json;

/** Longest time in which a worker plans a pipeline and checks its input. */
const PLAN_TIMEOUT_MS = 10_000;

/** Most attempts to plan, where something of the worker breaks. Wrong inputs and names are not tried again. */
const PLAN_ATTEMPTS = 3;

const local = proxyLocalActivities<PipelineActivities>({
  startToCloseTimeout: PLAN_TIMEOUT_MS,
  retry: { maximumAttempts: PLAN_ATTEMPTS },
});

// One for each run: this module is part of the project's workflow code, which Temporal evaluates anew for every run.
const budget = new CommandBudget();
let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs a pipeline as a child of the calling workflow and waits for its result. The run is like any other: it has the
 * pipeline's status, events and place in lists. Cancelling the scope that it was called in cancels it.
 *
 * @example
 * ```ts
 * import type { wordReport } from '../pipelines/word-report.js';
 * const { words } = await executePipeline<typeof wordReport>('word-report', { text });
 * ```
 *
 * @throws ApplicationFailure with the type, message and details of the run's own failure (`cancelled` and `terminated` where it was
 *   ended so); `contract_violation`, `PipelineNotFound` and `PlanningTimeout` before there is a run; `PayloadLimitExceeded` for an input that is too
 *   large; Temporal's cancellation where the calling scope was cancelled
 */
export async function executePipeline<P extends Pipeline | undefined = undefined>(
  name: string,
  input: Input<P>,
  options: ChildPipelineOptions = {},
): Promise<Result<P>> {
  const run = await startPipeline<P>(name, input, options);
  return run.result();
}

/** Starts a pipeline as a child and waits until it has started. @throws what {@link executePipeline} throws before there is a run */
export async function startPipeline<P extends Pipeline | undefined = undefined>(
  name: string,
  input: Input<P>,
  options: ChildPipelineOptions = {},
): Promise<ChildPipeline<Result<P>>> {
  // Whatever its type promised, the input is checked where the contract is.
  const given = input as JsonObject;
  const executionId = uuid4();
  const id = `pipeline/${name}/${executionId}`;
  const planned = await inTurn(() => plan(name, given));
  const handle = await start(id, planned, given, options);
  return {
    id,
    executionId,
    // The pipeline's result is what its contract says it is.
    result: () => resultOf(handle) as Promise<Result<P>>,
  };
}

/** One after the other: what many pipelines record and send at once would not fit into one message to the server. */
async function inTurn<T>(take: () => Promise<T>): Promise<T> {
  const mine = turn.then(take);
  turn = mine.catch(() => undefined);
  return mine;
}

async function plan(name: string, input: JsonObject): Promise<PlannedPipeline> {
  const bytes = jsonBytes(input);
  const tooLarge = payloadFailure(`The input of pipeline "${name}"`, bytes);
  if (tooLarge !== undefined) throw applicationFailure(tooLarge);
  try {
    const planned = await local[PLAN_ACTIVITY]({ pipeline: name, input });
    const room = budget.spend(jsonBytes(planned));
    if (room !== undefined) await room;
    return planned;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof Error)) throw error;
    throw applicationFailure(planningFailureOf(error, name), error);
  } finally {
    budget.returned();
  }
}

async function start(
  workflowId: string,
  { plan, description }: PlannedPipeline,
  input: JsonObject,
  { parentClosePolicy = ParentClosePolicy.REQUEST_CANCEL }: ChildPipelineOptions,
): Promise<ChildWorkflowHandle<Workflow>> {
  const { principal, afterExecute } = workflowInfo().memo ?? {};
  const starter = typeof principal === 'string' ? principal : undefined;
  const argument: PipelineArguments = startArguments(plan, input, starter);
  const bytes = jsonBytes(argument);
  const tooLarge = payloadFailure(`The input of pipeline "${plan.name}", with its plan,`, bytes);
  if (tooLarge !== undefined) throw applicationFailure(tooLarge);
  const room = budget.spend(bytes);
  if (room !== undefined) await room;
  const memo = {
    ...(starter !== undefined && { principal: starter }),
    ...(afterExecute === true && { afterExecute }),
  };
  try {
    return await startChild(plan.name, {
      workflowId,
      args: [argument],
      workflowExecutionTimeout: plan.timeoutMs + TIMEOUT_MARGIN_MS,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      parentClosePolicy,
      ...(Object.keys(memo).length > 0 && { memo }),
      ...(description !== undefined && { staticSummary: startSummary(description) }),
    });
  } finally {
    budget.returned();
  }
}

async function resultOf(handle: ChildWorkflowHandle<Workflow>): Promise<unknown> {
  try {
    return await handle.result();
  } catch (error) {
    const own = isCancellation(error) && CancellationScope.current().consideredCancelled;
    if (own || !(error instanceof ChildWorkflowFailure)) throw error;
    throw applicationFailure(runFailureOf(error.cause), error);
  } finally {
    budget.returned();
  }
}
