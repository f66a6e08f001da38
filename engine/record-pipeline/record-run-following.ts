import type { RecordRun } from '../../src/record-pipeline/run.js';
import { StoreBusy } from '../../src/record-store/errors.js';
import type { Engine } from '../engine.js';
import type { RecordRunOptions, StartedRecordRun } from './record-pipelines.js';

/** What a process that works on its own knows before it starts a run. */
export interface RunBefore {
  /** The run that has the store, as the store says. */
  readonly active: RecordRun | undefined;
  /** The store's folder. */
  readonly dir: string;
  /** Of the process's own worker. */
  readonly taskQueue: string;
}

/**
 * Starts a run, or goes on with the one that the same process has begun before it was killed.
 *
 * @throws {@link StoreBusy} when somebody else's run works on the store, unless `queue` is set
 */
export async function runOrFollow(
  { recordPipelines, temporal: { client } }: Engine,
  name: string,
  { active, dir, taskQueue }: RunBefore,
  options: RecordRunOptions,
): Promise<StartedRecordRun> {
  if (active !== undefined) {
    const { id, workflowId, startedAt, pipeline } = active;
    const handle = client.workflow.getHandle(workflowId);
    // The server of a run that another process had begun, for one, need not be there now.
    const described = await handle.describe().catch(() => undefined);
    if (described?.status.name === 'RUNNING') {
      if (described.taskQueue === taskQueue && pipeline === name) return { id, workflowId, handle };
      if (options.queue !== true) throw new StoreBusy(dir, id, startedAt);
    }
  }
  return recordPipelines.run(name, options);
}
