import { Context } from '@temporalio/activity';
import { attributeProgress, attributeProgressData } from '../../src/attribute-pipeline/progress.js';
import type { ComputeOutcome, ComputeTask } from '../../src/attribute-pipeline/plan.js';
import { costOf } from '../../src/pipeline/model-price.js';
import type { ActivityDependencies } from '../dependencies.js';
import { startHeartbeat } from '../heartbeat.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { attributeFailure, runOver } from './attribute-failure.js';
import { planModules } from './plan-modules.js';
import { runSurroundings } from './run-surroundings.js';
import { RunWork } from './run-work.js';

/** How far it is is told at most so often. */
const BEAT_MS = 200;

/** Computes values of a run's entities for a while. What was written stays, whatever comes after it. */
export async function computeAttributes(
  deps: ActivityDependencies,
  { run: id, begun: { plan, total } }: ComputeTask,
): Promise<ComputeOutcome> {
  const activity = Context.current();
  const heartbeat = startHeartbeat(activity);
  const startedAt = performance.now();
  const rate = (looked: number): number =>
    (looked * 1_000) / Math.max(1, performance.now() - startedAt);
  let beatAt = 0;
  try {
    const { entities, attributeRuns: runs } = await attributeDependencies(deps).catalog();
    const run = await runs.run(id);
    if (run.status !== 'running') throw runOver(run);
    const attributes = await entities.attributes(plan.entityType);
    const work = new RunWork({
      runs,
      run,
      plan,
      attributes,
      modules: planModules(plan, deps.code.modules),
      surroundings: await runSurroundings(deps, activity, plan, attributes),
      costOf: (usage) => costOf(deps.code.model(usage.model)?.price, usage),
      onWritten: (position, looked) => {
        // Batches are written much more often than anybody looks.
        if (performance.now() - beatAt < BEAT_MS) return;
        beatAt = performance.now();
        heartbeat.beat(attributeProgressData(attributeProgress(position, total, rate(looked))));
      },
    });
    const { done, failure, budget, position, looked } = await work.go();
    // A run that was cancelled must not look as if it had come to an end by itself.
    if (!done) activity.cancellationSignal.throwIfAborted();
    return {
      done,
      attributes: attributeProgress(position, total, rate(looked)),
      ...(failure !== undefined && { failure }),
      ...(budget !== undefined && { budget }),
    };
  } catch (error) {
    throw attributeFailure(error, activity);
  } finally {
    heartbeat.stop();
  }
}
