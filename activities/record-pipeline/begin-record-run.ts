import { RunLog } from '../../adapters/record-store/run/run-log.js';
import type { BeginTask } from '../../src/record-pipeline/plan.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';
import { recordCode, storeFailure } from './record-code.js';
import { RunVersions } from './run-versions.js';

/**
 * Claims the store for a run, and makes the version that it begins with.
 *
 * @throws ApplicationFailure of type `StoreBusy` while another run works on the store
 */
export async function beginRecordRun(deps: ActivityDependencies, task: BeginTask): Promise<void> {
  try {
    const { store } = recordCode(deps, task.pipeline);
    const { pipeline, run, workflowId } = task;
    new RunLog(store.live.db).begin({ id: run, pipeline, workflowId }, store.dir, new Date());
    const versions = new RunVersions(store, run, deps.log);
    await versions.make('run_start');
    await versions.settled();
  } catch (error) {
    throw applicationFailure(failureOf(storeFailure(error)), error);
  }
}
