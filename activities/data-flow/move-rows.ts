import { ApplicationFailure, Context } from '@temporalio/activity';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataFlowCatalog } from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { FenceLost, type FlowPosition } from '../../src/data-flow/position.js';
import type { MoveOutcome, MoveTask, UsePlan } from '../../src/data-flow/run.js';
import type { OpenSink, SinkContext, SinkUse } from '../../src/data-flow/sink.js';
import type { ConnectorContext, SourceContext, SourceUse } from '../../src/data-flow/source.js';
import { isFunctionTransform } from '../../src/data-flow/transform.js';
import { progressData } from '../../src/data-flow/progress.js';
import type { JsonObject } from '../../src/definition/json.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ObjectType } from '../../src/pipeline/operation.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf, isCancelled, retryAfterMs } from '../failure.js';
import { startHeartbeat } from '../heartbeat.js';
import { runReference } from '../run-reference.js';
import { BatchWatchdog } from './batch-watchdog.js';
import { flowCode, flowDependencies, requestOf } from './flow-code.js';
import { FlowMove } from './flow-move.js';
import { RowProcessing } from './row-processing.js';
import { takeOver } from './take-over.js';

type Work = Extract<CompiledDataFlow['work'], { kind: 'move' }>;

/** A batch in progress gets so long to end when the attempt is over; then it is left to itself, and the fence keeps it out. */
const FINISH_MS = 5_000;

/**
 * Moves batches from the source of a flow to its sink, for a while. Each batch is safe before the cursor passes it, so that
 * an attempt that follows goes on exactly there.
 *
 * @throws ApplicationFailure whose details are the failure
 */
export async function moveRows(deps: ActivityDependencies, task: MoveTask): Promise<MoveOutcome> {
  const activity = Context.current();
  const { work } = flowCode(deps, task.flow);
  const heartbeat = startHeartbeat(activity);
  try {
    if (work.kind !== 'move' || task.plan.work.kind !== 'move') throw changedKind(task.flow);
    const { batchTimeoutMs } = task.plan.work;
    const watchdog = new BatchWatchdog(batchTimeoutMs);
    const ending = new AbortController();
    const signal = AbortSignal.any([activity.cancellationSignal, ending.signal]);
    const moving = moveBatches(deps, task, work, signal, (outcome) => {
      watchdog.next();
      heartbeat.beat(progressData(outcome));
    });
    try {
      return await Promise.race([moving, watchdog.expired, activity.cancelled]);
    } finally {
      watchdog.stop();
      ending.abort();
      await Promise.race([
        moving.catch(() => undefined),
        delay(FINISH_MS, undefined, { ref: false }),
      ]);
    }
  } catch (error) {
    throw flowFailure(deps, task, activity, error);
  } finally {
    heartbeat.stop();
  }
}

async function moveBatches(
  deps: ActivityDependencies,
  task: MoveTask,
  work: Work,
  signal: AbortSignal,
  onBatch: (outcome: MoveOutcome) => void,
): Promise<MoveOutcome> {
  const { flow, runSeq, plan } = task;
  const ref = { flow, runSeq };
  if (plan.work.kind !== 'move') throw changedKind(flow);
  const { batchSize, maxRejected } = plan.work;
  const request = requestOf(plan);
  const { catalog, known } = await takeOver(deps, task, signal);
  const context = (options: JsonObject): ConnectorContext =>
    connectorContext(deps, task, signal, options);
  const source = connectorOf(work.source(request), plan.work.source);
  const sinkUse = connectorOf(work.sink(request), plan.work.sink);
  const sink = await openSink(
    sinkUse,
    task,
    known,
    context(await optionsOf(deps, sinkUse.connector.options, plan.work.sink)),
  );
  try {
    const position = await positionOf(sink, catalog, task, known);
    const options = await optionsOf(deps, source.connector.options, plan.work.source);
    const batches = source.connector.read({
      ...context(options),
      cursor: position.cursor ?? undefined,
      batchSize,
    } as SourceContext<never>);
    const processing = new RowProcessing(
      work,
      request,
      context(await transformOptions(deps, task, work)),
    );
    const move = new FlowMove({ ref, catalog, sink, processing, position, maxRejected, onBatch });
    return await move.run(batches, signal);
  } finally {
    await sink.close?.();
  }
}

/** A sink that keeps the position knows best where the flow is; the catalog is told when it was behind. */
async function positionOf(
  sink: OpenSink,
  catalog: DataFlowCatalog,
  { flow, runSeq }: MoveTask,
  known: FlowPosition,
): Promise<FlowPosition> {
  const ref = { flow, runSeq };
  const tell = (to: FlowPosition, from: number | undefined): Promise<boolean> =>
    catalog.advance(ref, { from, to, rejections: [], now: new Date() });
  if (sink.takeOver !== undefined) {
    const position = await sink.takeOver(known);
    if (position.step > known.step) await tell(position, undefined);
    return position;
  }
  if (known.sinkState !== null || sink.state === undefined) return { ...known, runSeq };
  const begun = { ...known, runSeq, step: known.step + 1, sinkState: sink.state };
  if (!(await tell(begun, known.step))) throw new FenceLost(flow, runSeq);
  return begun;
}

async function openSink(
  { connector }: SinkUse,
  { flow, runSeq }: MoveTask,
  { sinkState }: FlowPosition,
  context: ConnectorContext,
): Promise<OpenSink> {
  return connector.open({ ...context, flow, runSeq, state: sinkState } as SinkContext<never>);
}

/** The deployed connector; the plan says which one the run began with. */
function connectorOf<U extends SourceUse | SinkUse>(use: U, { class_name: name }: UsePlan): U {
  if (use.connector.connectorName === name) return use;
  const message = `The run began with connector "${name}"; the deployed code has "${use.connector.connectorName}" in its place. Start another run.`;
  throw permanent(message, undefined, FAILURE_TYPES.contractChanged);
}

/** A connector's options as it takes them: references resolved, checked, with defaults. */
async function optionsOf(
  deps: ActivityDependencies,
  schema: ObjectType,
  { class_name: name, options }: UsePlan,
): Promise<JsonObject> {
  const parsed = schema.safeParse(await flowDependencies(deps).resolve(options));
  // Whatever its type: connectors are given what their own schema has made.
  if (parsed.success) return parsed.data as JsonObject;
  // Not the values: they may be secrets.
  const wrong = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
  );
  throw permanent(
    `The options of "${name}" are wrong: ${wrong.join('; ')}.`,
    undefined,
    'OptionsInvalid',
  );
}

async function transformOptions(
  deps: ActivityDependencies,
  { plan }: MoveTask,
  { transform }: Work,
): Promise<JsonObject> {
  if (transform === undefined || isFunctionTransform(transform)) return {};
  const planned = plan.work.kind === 'move' ? plan.work.transform : undefined;
  const { options: schema } = transform.transform;
  return schema === undefined
    ? {}
    : optionsOf(
        deps,
        schema,
        planned ?? { class_name: transform.transform.connectorName, options: transform.options },
      );
}

function connectorContext(
  deps: ActivityDependencies,
  { flow, runSeq }: MoveTask,
  signal: AbortSignal,
  options: JsonObject,
): ConnectorContext {
  const run = runReference(Context.current().info, undefined);
  return {
    options,
    dir: flowDependencies(deps).dir,
    signal,
    log: deps.log.child({ run: run.id, flow, run_seq: runSeq }),
    run,
    services: deps.services,
  };
}

/** What an attempt has ended with, as the workflow understands it. */
export function flowFailure(
  deps: ActivityDependencies,
  { flow, runSeq }: MoveTask,
  activity: Context,
  error: unknown,
): unknown {
  if (isCancelled(error, activity.cancellationSignal)) {
    if (activity.cancellationDetails?.workerShutdown !== true) return error;
    return ApplicationFailure.create({
      type: FAILURE_TYPES.workerShutdown,
      message: 'The worker stopped; the flow goes on elsewhere.',
      nonRetryable: true,
    });
  }
  const failure = failureOf(error);
  const { attempt } = activity.info;
  deps.log.warn(
    { err: error, flow, run_seq: runSeq, attempt, type: failure.type },
    'data flow attempt failed',
  );
  return error instanceof ApplicationFailure
    ? error
    : applicationFailure(failure, error, retryAfterMs(error));
}

/** A flow that moved rows now has a body of its own, or the other way round. */
export function changedKind(flow: string): Error {
  const message = `The deployed code of "${flow}" is of another kind than the run began with. Start another run.`;
  return permanent(message, undefined, FAILURE_TYPES.contractChanged);
}
