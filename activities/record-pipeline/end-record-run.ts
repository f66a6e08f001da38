import { RunLog } from '../../adapters/record-store/run/run-log.js';
import type { EndRecordsTask } from '../../src/record-pipeline/plan.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';
import { recordCode, storeFailure } from './record-code.js';
import { RunVersions } from './run-versions.js';

/** Makes the version that a run ends with, and gives the store free. Done again, it does nothing. */
export async function endRecordRun(
  deps: ActivityDependencies,
  { pipeline, run, status }: EndRecordsTask,
): Promise<void> {
  try {
    const { store } = recordCode(deps, pipeline);
    const log = new RunLog(store.live.db);
    // Another run had the store: this one has never begun.
    if (log.active()?.id !== run) return;
    const versions = new RunVersions(store, run, deps.log);
    await versions.make(status === 'success' ? 'run_end' : 'failure');
    await versions.settled();
    log.end(run, status, new Date());
  } catch (error) {
    throw applicationFailure(failureOf(storeFailure(error)), error);
  }
}
