import type { OperationPlan, PipelinePlan, StagePlan } from './plan.js';

/** Whose limit ends a wait. */
export type LimitOwner = 'operation' | 'stage' | 'pipeline' | 'task';

/** The time an operation has: for one attempt, and for all of them with their waits. */
export interface TimeLimits {
  readonly attemptMs: number;
  readonly totalMs: number;
  /** Whose limit the total is. */
  readonly totalOwner: Exclude<LimitOwner, 'operation'>;
}

/** Shortest time that is given to anything, since Temporal takes zero for no limit. */
const SHORTEST_MS = 1;

/**
 * The limits of an operation that starts now: the smallest of its own, its stage's and what is left of the pipeline's.
 *
 * @param now, runStart, stageStart - milliseconds since the epoch
 */
export function timeLimits(
  plan: PipelinePlan,
  stage: StagePlan,
  operation: OperationPlan,
  times: { readonly now: number; readonly runStart: number; readonly stageStart: number },
): TimeLimits {
  const pipelineLeft = plan.timeoutMs - (times.now - times.runStart);
  const stageLeft =
    stage.timeoutMs === undefined ? Infinity : stage.timeoutMs - (times.now - times.stageStart);
  const totalMs = Math.max(SHORTEST_MS, Math.min(pipelineLeft, stageLeft));
  return {
    attemptMs: Math.min(operation.timeoutMs ?? Infinity, totalMs),
    totalMs,
    totalOwner: stageLeft < pipelineLeft ? 'stage' : 'pipeline',
  };
}
