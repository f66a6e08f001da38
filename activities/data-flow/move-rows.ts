import { Context } from '@temporalio/activity';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataFlowCatalog } from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { FenceLost, type FlowPosition } from '../../src/data-flow/position.js';
import type { MoveOutcome, MovePlan, MoveTask } from '../../src/data-flow/run.js';
import type { OpenSink, SinkContext } from '../../src/data-flow/sink.js';
import type { ConnectorContext, SourceContext } from '../../src/data-flow/source.js';
import { progressData } from '../../src/data-flow/progress.js';
import { canonicalJson, type JsonObject } from '../../src/definition/json.js';
import type { ActivityDependencies } from '../dependencies.js';
import { startHeartbeat } from '../heartbeat.js';
import { runReference } from '../run-reference.js';
import { BatchWatchdog } from './batch-watchdog.js';
import { connectorOf, optionsOf, transformOptions } from './connector-options.js';
import { flowCode, flowDependencies, requestOf } from './flow-code.js';
import { changedKind, flowFailure } from './flow-failure.js';
import { FlowMove } from './flow-move.js';
import { RowProcessing } from './row-processing.js';
import { Secrets } from './secrets.js';
import { takeOver } from './take-over.js';

type Work = Extract<CompiledDataFlow['work'], { kind: 'move' }>;

/** A batch in progress gets so long to end when the attempt is over; then it is left to itself, and the fence keeps it out. */
const FINISH_MS = 5_000;

/**
 * Moves batches from the source of a flow to its sink, for a while. Each batch is safe before the cursor passes it, so that
 * an attempt that follows goes on exactly there.
 *
 * @throws ApplicationFailure whose details are the failure, and how many batches were moved before it
 */
export async function moveRows(deps: ActivityDependencies, task: MoveTask): Promise<MoveOutcome> {
  const activity = Context.current();
  const { work } = flowCode(deps, task.flow);
  const heartbeat = startHeartbeat(activity);
  const secrets = new Secrets(flowDependencies(deps).resolve);
  let moved = 0;
  try {
    const planned = task.plan.work;
    if (work.kind !== 'move' || planned.kind !== 'move') throw changedKind(task.flow);
    const { catalog, known } = await Promise.race([
      takeOver(deps, task, activity.cancellationSignal),
      activity.cancelled,
    ]);
    const watchdog = new BatchWatchdog(planned.batchTimeoutMs);
    const ending = new AbortController();
    const signal = AbortSignal.any([activity.cancellationSignal, ending.signal]);
    const attempt = { deps, task, work, planned, secrets, catalog, known, signal };
    const moving = moveBatches(attempt, (outcome) => {
      moved += 1;
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
    const hide = (text: string): string => secrets.hide(text);
    throw flowFailure(deps, { task, activity, moved, hide }, error);
  } finally {
    heartbeat.stop();
  }
}

/** One attempt, and what it began with. */
interface Attempt {
  readonly deps: ActivityDependencies;
  readonly task: MoveTask;
  readonly work: Work;
  readonly planned: MovePlan;
  readonly secrets: Secrets;
  readonly catalog: DataFlowCatalog;
  readonly known: FlowPosition;
  readonly signal: AbortSignal;
}

async function moveBatches(
  attempt: Attempt,
  onBatch: (outcome: MoveOutcome) => void,
): Promise<MoveOutcome> {
  const { task, work, planned, secrets, catalog, signal } = attempt;
  const request = requestOf(task.plan);
  const source = connectorOf(work.source(request), planned.source);
  const options = await optionsOf(source.connector.options, planned.source, secrets);
  const sink = await openSink(attempt);
  try {
    const position = await positionOf(sink, attempt);
    const batches = source.connector.read({
      ...connectorContext(attempt, options),
      cursor: secrets.revealIn(position.cursor) ?? undefined,
      batchSize: planned.batchSize,
    } as SourceContext<never>);
    const processing = new RowProcessing(
      work,
      request,
      connectorContext(attempt, await transformOptions(work, planned.transform, secrets)),
    );
    const { maxRejected } = planned;
    const { flow, runSeq } = task;
    const move = new FlowMove({
      ref: { flow, runSeq },
      flowId: task.plan.flowId,
      catalog,
      sink,
      processing,
      position,
      maxRejected,
      hide: (text) => secrets.hide(text),
      hideIn: (cursor) => secrets.hideIn(cursor),
      onBatch,
    });
    return await move.run(batches, signal);
  } finally {
    await sink.close?.();
  }
}

/** A sink that keeps the position knows best where the flow is; the catalog is told when it was behind. */
async function positionOf(
  sink: OpenSink,
  { task: { flow, runSeq }, catalog, known }: Attempt,
): Promise<FlowPosition> {
  const tell = async (to: FlowPosition): Promise<FlowPosition> => {
    const move = { from: undefined, to, rejections: [], now: new Date() };
    if (!(await catalog.advance({ flow, runSeq }, move))) throw new FenceLost(flow, runSeq);
    return to;
  };
  if (sink.takeOver !== undefined) {
    const kept = await sink.takeOver(known);
    if (kept.step > known.step) return tell(kept);
    if (isSamePlace(kept, known)) return kept;
    // At a step that neither of them has had, or the catalog would take it for an old one.
    return tell(await sink.takeOver({ ...kept, step: Math.max(kept.step, known.step) + 1 }));
  }
  const position = { ...known, runSeq };
  const { state = known.sinkState } = sink;
  if (canonicalJson(state) === canonicalJson(known.sinkState)) return position;
  return tell({ ...position, step: known.step + 1, sinkState: state });
}

function isSamePlace(a: FlowPosition, b: FlowPosition): boolean {
  const place = ({ cursor, counts }: FlowPosition): string => canonicalJson([cursor, counts]);
  return place(a) === place(b);
}

async function openSink(attempt: Attempt): Promise<OpenSink> {
  const { task, work, planned, secrets, known } = attempt;
  const { connector } = connectorOf(work.sink(requestOf(task.plan)), planned.sink);
  const options = await optionsOf(connector.options, planned.sink, secrets);
  const { flow, runSeq, plan } = task;
  return connector.open({
    ...connectorContext(attempt, options),
    flow,
    flowId: plan.flowId,
    runSeq,
    state: known.sinkState,
  } as SinkContext<never>);
}

function connectorContext(
  { deps, task: { flow, runSeq }, signal }: Attempt,
  options: JsonObject,
): ConnectorContext {
  const run = runReference(Context.current().info, undefined);
  return {
    options,
    dir: flowDependencies(deps).dir,
    entities: flowDependencies(deps).entities,
    signal,
    log: deps.log.child({ run: run.id, flow, run_seq: runSeq }),
    run,
    services: deps.services,
  };
}
