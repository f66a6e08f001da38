import type { RefreshRequest } from '../../src/attribute-pipeline/refresh.js';
import { Context } from '@temporalio/activity';
import { attributePlan, type AttributesBegun } from '../../src/attribute-pipeline/plan.js';
import type { RunCatalog, RunClaim } from '../../src/attribute-pipeline/run-catalog.js';
import { ENDED_OUTSIDE, type AttributeRun } from '../../src/attribute-pipeline/run.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ActivityDependencies, AttributeDependencies } from '../dependencies.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { attributeFailure, runOver } from './attribute-failure.js';

/** A run that Temporal knows nothing of has gone when it began so long ago: its start may be on its way. */
const UNKNOWN_MS = 60_000;

/**
 * Claims a pipeline for a run, and says what the run does. A run that was ended from outside, and could not say so, is closed
 * first.
 *
 * @throws ApplicationFailure of type `PipelineBusy` while another run of the pipeline goes on
 */
export async function beginAttributeRun(
  deps: ActivityDependencies,
  id: string,
): Promise<AttributesBegun> {
  const activity = Context.current();
  try {
    const attributes = attributeDependencies(deps);
    const { attributeRuns, attributeEvals } = await attributes.catalog();
    const claim = await claimed(attributes, attributeRuns, id);
    if (claim.kind === 'active') throw busy(claim.run);
    if (claim.kind === 'over') throw runOver(claim.run);
    const total = await attributeRuns.countCandidates(id);
    // Each night they are run whatever has changed.
    const evals =
      claim.run.trigger !== 'schedule' && (await attributeEvals.countEvals(claim.pipeline.id)) > 0;
    return { plan: attributePlan(claim.pipeline), total, evals };
  } catch (error) {
    throw attributeFailure(error, activity);
  }
}

/** Puts a run down in the catalog. What the catalog refuses it refuses again. */
export async function requestAttributeRun(
  deps: ActivityDependencies,
  request: RefreshRequest,
): Promise<void> {
  const activity = Context.current();
  try {
    await attributeDependencies(deps).control.request(request);
  } catch (error) {
    throw attributeFailure(error, activity);
  }
}

async function claimed(
  attributes: AttributeDependencies,
  runs: RunCatalog,
  id: string,
): Promise<RunClaim> {
  const claim = await runs.claim(id, new Date());
  if (claim.kind !== 'active' || !(await isOver(attributes, claim.run))) return claim;
  await runs.end(claim.run.id, 'aborted', ENDED_OUTSIDE, new Date());
  return runs.claim(id, new Date());
}

async function isOver(
  { isRunning }: AttributeDependencies,
  { workflowId, startedAt }: AttributeRun,
): Promise<boolean> {
  const running = await isRunning(workflowId);
  return running === undefined ? Date.now() - startedAt.getTime() > UNKNOWN_MS : !running;
}

function busy({ id, entityType, attribute, startedAt }: AttributeRun): Error {
  return permanent(
    `Run ${id} of ${entityType}.${attribute} goes on since ${startedAt.toISOString()}.`,
    { run_id: id, started_at: startedAt.toISOString() },
    FAILURE_TYPES.pipelineBusy,
  );
}
