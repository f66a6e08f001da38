import { Context } from '@temporalio/activity';
import type { FlowBodyContext, BodyCounts } from '../../src/data-flow/data-flow.js';
import { FenceLost, type FlowPosition } from '../../src/data-flow/position.js';
import { countBatch, NO_ROWS, type RowCounts } from '../../src/data-flow/row.js';
import type { MoveOutcome, MoveTask } from '../../src/data-flow/run.js';
import { progressData } from '../../src/data-flow/progress.js';
import type { Json, JsonObject } from '../../src/definition/json.js';
import type { ActivityDependencies } from '../dependencies.js';
import { startHeartbeat, type StartedHeartbeat } from '../heartbeat.js';
import { runReference } from '../run-reference.js';
import { flowCode, flowDependencies, requestOf } from './flow-code.js';
import { changedKind, flowFailure } from './move-rows.js';
import { takeOver } from './take-over.js';

/** Runs a flow that has a body of its own, from its saved cursor to its end. */
export async function runFlowBody(
  deps: ActivityDependencies,
  task: MoveTask,
): Promise<MoveOutcome> {
  const activity = Context.current();
  const { work } = flowCode(deps, task.flow);
  const heartbeat = startHeartbeat(activity);
  try {
    if (work.kind !== 'body') throw changedKind(task.flow);
    const saved = await SavedPosition.of(deps, task, activity, heartbeat);
    const context = bodyContext(deps, task, activity, heartbeat, saved);
    // A body that ignores its signal must not keep a timed-out attempt, or a worker that stops, from ending.
    await Promise.race([work.run(context), activity.cancelled]);
    return saved.outcome(true);
  } catch (error) {
    throw flowFailure(deps, task, activity, error);
  } finally {
    heartbeat.stop();
  }
}

function bodyContext(
  deps: ActivityDependencies,
  task: MoveTask,
  activity: Context,
  heartbeat: StartedHeartbeat,
  saved: SavedPosition,
): FlowBodyContext<JsonObject> {
  const run = runReference(activity.info, undefined);
  const { attempt } = activity.info;
  return {
    ...requestOf(task.plan),
    cursor: saved.cursor,
    saveCursor: (cursor, counts) => saved.save(cursor, counts),
    signal: activity.cancellationSignal,
    log: deps.log.child({ run: run.id, flow: task.flow, run_seq: task.runSeq, attempt }),
    heartbeat: heartbeat.beat,
    checkpoint: heartbeat.checkpoint(),
    attempt,
    run,
    services: deps.services,
  };
}

/** Where a body is, as it has saved it. */
class SavedPosition {
  readonly #startedAt = performance.now();
  readonly #readBefore: number;

  private constructor(
    private readonly deps: ActivityDependencies,
    private readonly task: MoveTask,
    private readonly heartbeat: StartedHeartbeat,
    private position: FlowPosition,
  ) {
    this.#readBefore = position.counts.read;
  }

  static async of(
    deps: ActivityDependencies,
    task: MoveTask,
    { cancellationSignal }: Context,
    heartbeat: StartedHeartbeat,
  ): Promise<SavedPosition> {
    const { known } = await takeOver(deps, task, cancellationSignal);
    return new SavedPosition(deps, task, heartbeat, { ...known, runSeq: task.runSeq });
  }

  get cursor(): Json | undefined {
    return this.position.cursor ?? undefined;
  }

  async save(cursor: Json, counts: BodyCounts = {}): Promise<void> {
    const { flow, runSeq } = this.task;
    const ref = { flow, runSeq };
    const catalog = await flowDependencies(this.deps).catalog();
    const { step } = this.position;
    const to: FlowPosition = {
      ...this.position,
      step: step + 1,
      cursor,
      counts: added(this.position.counts, counts),
    };
    const moved = await catalog.advance(ref, { from: step, to, rejections: [], now: new Date() });
    if (!moved) throw new FenceLost(flow, runSeq);
    this.position = to;
    this.heartbeat.beat(progressData(this.outcome(false)));
  }

  outcome(done: boolean): MoveOutcome {
    const { counts } = this.position;
    const seconds = Math.max(0.001, (performance.now() - this.#startedAt) / 1_000);
    const rowsPerSecond = Math.round(((counts.read - this.#readBefore) / seconds) * 10) / 10;
    return { done, counts, rowsPerSecond };
  }
}

function added(before: RowCounts, counts: BodyCounts): RowCounts {
  const { read = 0, written = 0, rejected = 0, skipped = 0 } = counts;
  return countBatch(
    before,
    { read, rejected, skipped },
    // A body does not tell what its writes found.
    { ...NO_ROWS, unpredictable: written },
  );
}
