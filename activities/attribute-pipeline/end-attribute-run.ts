import { Context } from '@temporalio/activity';
import type { EndAttributesTask } from '../../src/attribute-pipeline/plan.js';
import type { ActivityDependencies } from '../dependencies.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { attributeFailure } from './attribute-failure.js';

/** Closes a run in the catalog. One that never began is not there, and needs none. */
export async function endAttributeRun(
  deps: ActivityDependencies,
  { run, status, message, follow }: EndAttributesTask,
): Promise<void> {
  const activity = Context.current();
  try {
    const { catalog, control } = attributeDependencies(deps);
    const { attributeRuns } = await catalog();
    const { entityType } = await attributeRuns.end(run, status, message, new Date());
    // What it has written is read by others.
    if (follow === true) await control.changed(entityType);
  } catch (error) {
    throw attributeFailure(error, activity);
  }
}
