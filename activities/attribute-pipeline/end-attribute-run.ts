import { Context } from '@temporalio/activity';
import type { EndAttributesTask } from '../../src/attribute-pipeline/plan.js';
import type { ActivityDependencies } from '../dependencies.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { attributeFailure } from './attribute-failure.js';

/** Closes a run in the catalog. One that never began is not there, and needs none. */
export async function endAttributeRun(
  deps: ActivityDependencies,
  { run, status, message }: EndAttributesTask,
): Promise<void> {
  const activity = Context.current();
  try {
    const { attributeRuns } = await attributeDependencies(deps).catalog();
    await attributeRuns.end(run, status, message, new Date());
  } catch (error) {
    throw attributeFailure(error, activity);
  }
}
