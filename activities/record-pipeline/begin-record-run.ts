import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { SqliteStore } from '../../adapters/record-store/sqlite-store.js';
import type { BeginTask } from '../../src/record-pipeline/plan.js';
import type { RecordRun } from '../../src/record-pipeline/run.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';
import { recordCode, storeFailure } from './record-code.js';
import { RunVersions } from './run-versions.js';

/** A run that another Temporal server knows, or none any more, has gone when it has written nothing for so long. */
const SILENT_MS = 60_000;

/**
 * Claims the store for a run, and makes the version that it begins with. A run that was ended from outside, and could not give
 * the store free itself, is closed first.
 *
 * @throws ApplicationFailure of type `StoreBusy` while another run works on the store
 */
export async function beginRecordRun(deps: ActivityDependencies, task: BeginTask): Promise<void> {
  try {
    const { store } = recordCode(deps, task.pipeline);
    const { pipeline, run, workflowId } = task;
    const { runs } = store;
    const active = runs.active();
    if (active !== undefined && active.id !== run)
      await closeIfOver(deps.outcomes?.client, store, active);
    runs.begin({ id: run, pipeline, workflowId }, store.dir, new Date());
    const versions = new RunVersions(store, run, deps.log);
    await versions.make('run_start');
    await versions.settled();
  } catch (error) {
    throw applicationFailure(failureOf(storeFailure(error)), error);
  }
}

async function closeIfOver(
  client: Client | undefined,
  { runs }: SqliteStore,
  { id, workflowId, seenAt }: RecordRun,
): Promise<void> {
  const isOpen = client === undefined ? undefined : await isRunning(client, workflowId);
  const isSilent = Date.now() - Date.parse(seenAt) > SILENT_MS;
  if (isOpen === false || (isOpen === undefined && isSilent))
    runs.end(id, 'interrupted', new Date());
}

/** Undefined where the server knows nothing of it. */
async function isRunning(client: Client, workflowId: string): Promise<boolean | undefined> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
