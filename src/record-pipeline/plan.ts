import type { RecordFailure } from './run.js';

/** The version of the rules by which the workflow runs a record pipeline. Version n stays in the code until no run can hold it. */
export const RECORD_INTERPRETER = 1;

/** Names of the activities of record pipelines. */
export const FIND_STORE_ACTIVITY = 'millrace.findRecordStore';
export const BEGIN_RECORDS_ACTIVITY = 'millrace.beginRecordRun';
export const DRAIN_RECORDS_ACTIVITY = 'millrace.drainRecords';
export const END_RECORDS_ACTIVITY = 'millrace.endRecordRun';

/** The one argument of a record pipeline's workflow. */
export interface RecordArguments {
  readonly interpreter: typeof RECORD_INTERPRETER;
  readonly kind: 'record_pipeline';
  readonly pipeline: string;
  /** Of the run, also where it continues as new: a ULID. */
  readonly run: string;
  /** Of the whole run. */
  readonly timeoutMs: number;
  /** Waits for the end of another run on the store, instead of being refused. */
  readonly queue?: boolean;
  /** Works only on records that have failed in earlier runs of the pipeline. */
  readonly retryFailed?: boolean;
  /** Where a run that continues as new goes on. */
  readonly place?: DrainPlace;
  /** The store's own queue, once it is known. */
  readonly store?: StorePlace;
}

/** Where a store is. */
export interface StorePlace {
  /** Its id, which is inside it. */
  readonly id: string;
  /** Of the workers that have it. */
  readonly taskQueue: string;
  /** The machine that had it last. */
  readonly host: string;
}

/** The task queue of the workers that have a store. */
export function storeQueue(id: string): string {
  return `millrace/store/${id}`;
}

/** How far a run is. */
export interface DrainPlace {
  /** The step, from 0. */
  readonly step: number;
  /** Something was worked on since the first step was looked at last: then all are looked at again. */
  readonly found: boolean;
  /** How often all steps were looked at again; absent in the first round. */
  readonly round?: number;
}

/** What one activity is to drain. */
export interface DrainTask {
  readonly pipeline: string;
  readonly run: string;
  readonly place: DrainPlace;
  /** Only records that have failed in earlier runs of the pipeline. */
  readonly retryFailed?: boolean;
}

/** What has come of it. */
export interface DrainOutcome {
  readonly place: DrainPlace;
  /** All steps were looked at and none has records left, or an error has stopped it. */
  readonly done: boolean;
  /** Of the whole run. */
  readonly counts: RecordCounts;
  /** The label of the step that it is at; absent where it is done. */
  readonly step?: string;
  /** Records that are left, by the steps' labels; those of the other steps as they were when it began, or a step ended. */
  readonly queues: Readonly<Record<string, number>>;
  readonly recordsPerSecond: number;
  /** What has gone wrong in the whole run: the first of them. Not empty and `done`: the run has failed. */
  readonly errors: readonly RecordFailure[];
}

/** What has become of a run's records. */
export interface RecordCounts {
  /** Bodies that have ended well and were written. */
  readonly completed: number;
  readonly failed: number;
}

/** What a run has come to, as its workflow returns it. */
export interface RecordResult extends RecordCounts {
  readonly run: string;
}

/** True for the argument of a record pipeline's workflow that this code can run. */
export function isRecordArguments(value: unknown): value is RecordArguments {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'record_pipeline' &&
    'interpreter' in value &&
    value.interpreter === RECORD_INTERPRETER
  );
}

/** Which run is to begin on a store. */
export interface BeginTask {
  readonly pipeline: string;
  readonly run: string;
  readonly workflowId: string;
}

/** How a run is to be closed in its store. */
export interface EndRecordsTask {
  readonly pipeline: string;
  readonly run: string;
  readonly status: 'success' | 'failed' | 'cancelled';
}
