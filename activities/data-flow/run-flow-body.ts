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
import { changedKind, flowFailure } from './flow-failure.js';
import { takeOver } from './take-over.js';

/** Runs a flow that has a body of its own, from its saved cursor to its end. */
export async function runFlowBody(
  deps: ActivityDependencies,
  task: MoveTask,
): Promise<MoveOutcome> {
  const activity = Context.current();
  const { work } = flowCode(deps, task.flow);
  const heartbeat = startHeartbeat(activity);
  let saved: SavedPosition | undefined;
  try {
    if (work.kind !== 'body') throw changedKind(task.flow);
    saved = await Promise.race([
      SavedPosition.of(deps, task, activity, heartbeat),
      activity.cancelled,
    ]);
    const context = bodyContext(deps, task, activity, heartbeat, saved);
    // A body that ignores its signal must not keep a timed-out attempt, or a worker that stops, from ending.
    await Promise.race([work.run(context), activity.cancelled]);
    return saved.outcome(true);
  } catch (error) {
    // A body gets its secrets from its services, which nobody here knows.
    const hide = (text: string): string => text;
    throw flowFailure(deps, { task, activity, moved: saved?.saves ?? 0, hide }, error);
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
  const { attempt = 1 } = task;
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
  /** How often it was saved in this attempt. */
  saves = 0;
  #saving: Promise<void> = Promise.resolve();
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

  /** One after the other, however they are called: each builds on the one before. */
  async save(cursor: Json, counts: BodyCounts = {}): Promise<void> {
    const saving = this.#saving.then(() => this.#save(cursor, counts));
    this.#saving = saving.catch(() => undefined);
    await saving;
  }

  async #save(cursor: Json, counts: BodyCounts): Promise<void> {
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
    this.saves += 1;
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
