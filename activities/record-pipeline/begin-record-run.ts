import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { SqliteStore } from '../../adapters/record-store/sqlite-store.js';
import type { BeginTask } from '../../src/record-pipeline/plan.js';
import type { RunContext } from '../../src/record-pipeline/record-pipeline.js';
import type { RecordRun } from '../../src/record-pipeline/run.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';
import { startHeartbeat } from '../heartbeat.js';
import { recordCode, storeFailure, type RecordCode } from './record-code.js';
import { runContext } from './run-context.js';
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
  const heartbeat = startHeartbeat(Context.current());
  try {
    const code = recordCode(deps, task.pipeline);
    const { store } = code;
    const { pipeline, run, workflowId } = task;
    const { runs } = store;
    const active = runs.active();
    if (active !== undefined && active.id !== run)
      await closeIfOver(deps.outcomes?.client, store, active);
    runs.begin({ id: run, pipeline, workflowId }, store.dir, new Date());
    const versions = new RunVersions(store, run, deps.log);
    await versions.make('run_start');
    await versions.settled();
    await prepare(deps, code, run);
  } catch (error) {
    throw applicationFailure(failureOf(storeFailure(error)), error);
  } finally {
    heartbeat.stop();
  }
}

/** What the pipeline does first. A worker that was taken for lost writes nothing more. */
async function prepare(
  deps: ActivityDependencies,
  { pipeline, store }: RecordCode,
  run: string,
): Promise<void> {
  const act = pipeline.hooks.prepare as
    ((context: RunContext<unknown>) => void | Promise<void>) | undefined;
  if (act === undefined) return;
  const { runs } = store;
  const epoch = runs.takeOver(run, new Date());
  const context = runContext(deps, Context.current(), pipeline);
  await store.change(
    () => act(context),
    () => {
      runs.advance(run, epoch, 0, 0, new Date());
    },
  );
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
