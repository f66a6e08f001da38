import { coreOf } from '../../adapters/record-store/define-store.js';
import type { SqliteStore } from '../../adapters/record-store/sqlite-store.js';
import { StoreBusy, RecordStoreError } from '../../src/record-store/errors.js';
import { RunTakenOver } from '../../src/record-pipeline/run.js';
import type { CompiledRecordPipeline } from '../../src/record-pipeline/compile.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { ActivityDependencies } from '../dependencies.js';

/** A record pipeline of the deployed code, and the workings of its store. */
export interface RecordCode {
  readonly pipeline: CompiledRecordPipeline;
  readonly store: SqliteStore;
}

/** @throws PermanentError of type `RecordPipelineNotRegistered`: another worker may have it */
export function recordCode(deps: ActivityDependencies, name: string): RecordCode {
  const pipeline = deps.code.recordPipeline(name);
  if (pipeline === undefined)
    throw permanent(
      `This worker's code has no record pipeline "${name}".`,
      undefined,
      FAILURE_TYPES.recordPipelineNotRegistered,
    );
  return { pipeline, store: coreOf(pipeline.store) };
}

/** What another attempt would only meet again says so; a disk that is full may have room later. */
export function storeFailure(error: unknown): unknown {
  if (error instanceof StoreBusy) {
    const { run, startedAt } = error;
    return permanent(error.message, { run_id: run, started_at: startedAt }, error.name);
  }
  if (error instanceof RunTakenOver) return permanent(error.message, undefined, error.name);
  if (!(error instanceof RecordStoreError)) return error;
  const mayPass = /disk is full|kept it locked/.test(error.message);
  return mayPass ? error : permanent(error.message, undefined, error.name);
}
