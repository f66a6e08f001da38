import {
  BEGIN_RECORDS_ACTIVITY,
  DRAIN_RECORDS_ACTIVITY,
  END_RECORDS_ACTIVITY,
  FIND_STORE_ACTIVITY,
  type BeginTask,
  type DrainOutcome,
  type DrainTask,
  type EndRecordsTask,
  type StorePlace,
} from '../../src/record-pipeline/plan.js';
import type { ActivityDependencies } from '../dependencies.js';
import { beginRecordRun } from './begin-record-run.js';
import { drainRecords } from './drain-records.js';
import { endRecordRun } from './end-record-run.js';
import { findStore } from './find-store.js';

/** The activities of record pipelines. All but the first run on the machine that has the store. */
export interface RecordPipelineActivities {
  readonly [FIND_STORE_ACTIVITY]: (pipeline: string) => Promise<StorePlace>;
  readonly [BEGIN_RECORDS_ACTIVITY]: (task: BeginTask) => Promise<void>;
  readonly [DRAIN_RECORDS_ACTIVITY]: (task: DrainTask) => Promise<DrainOutcome>;
  readonly [END_RECORDS_ACTIVITY]: (task: EndRecordsTask) => Promise<void>;
}

/** Creates the activities of record pipelines. */
export function createRecordPipelineActivities(
  deps: ActivityDependencies,
): RecordPipelineActivities {
  return {
    [FIND_STORE_ACTIVITY]: async (pipeline) => findStore(deps, pipeline),
    [BEGIN_RECORDS_ACTIVITY]: async (task) => beginRecordRun(deps, task),
    [DRAIN_RECORDS_ACTIVITY]: (task) => drainRecords(deps, task),
    [END_RECORDS_ACTIVITY]: async (task) => endRecordRun(deps, task),
  };
}
