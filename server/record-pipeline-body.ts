import { coreOf } from '../adapters/record-store/define-store.js';
import type { RecordModel } from '../adapters/record-store/record-model.js';
import type { Engine } from '../engine/engine.js';
import { formatRunId } from '../engine/run-id.js';
import type { JsonObject } from '../src/definition/json.js';
import { durationMsOrNone } from '../src/definition/duration.js';
import type { CompiledRecordPipeline } from '../src/record-pipeline/compile.js';
import { RECORD_DEFAULTS } from '../src/record-pipeline/limits.js';
import type { StorePlace } from '../src/record-pipeline/plan.js';
import type { RecordFailure } from '../src/record-pipeline/run.js';
import type {
  CutValue,
  DiffAnswer,
  KnownRun,
  StoreStatus,
} from '../src/record-pipeline/store-question.js';
import type { VersionInfo } from '../src/record-store/store.js';

/** A record pipeline as the deployed code has it. */
export function recordPipelineBody(pipeline: CompiledRecordPipeline, base: string): JsonObject {
  const { name, description, concurrency, enqueueMs, onError, maxErrors, timeoutMs } = pipeline;
  const self = recordPipelinePath(base, name);
  return {
    name,
    description: description ?? null,
    processor:
      concurrency === 1
        ? { kind: 'sync' }
        : { kind: 'async', concurrency, enqueue_seconds: enqueueMs / 1_000 },
    on_error: onError,
    max_errors: maxErrors,
    timeout_ms: timeoutMs,
    steps: pipeline.steps.map(({ label, maxPasses, timeout }) => ({
      label,
      max_passes: maxPasses ?? RECORD_DEFAULTS.maxPasses,
      timeout_ms: durationMsOrNone(timeout) ?? RECORD_DEFAULTS.bodyTimeoutMs,
    })),
    record_types: [...coreOf(pipeline.store).models.values()].map((model) =>
      recordTypeBody(model, self),
    ),
    links: {
      self,
      run: `${self}/run`,
      runs: `${self}/runs`,
      versions: `${self}/versions`,
      diff: `${self}/diff`,
    },
  };
}

function recordTypeBody({ name, table, columns }: RecordModel, pipeline: string): JsonObject {
  return {
    name,
    table,
    columns: columns.map(({ name: column, kind, nullable }) => ({ name: column, kind, nullable })),
    links: { records: `${pipeline}/records/${encodeURIComponent(name)}` },
  };
}

/** @param base - the path of all record pipelines: `/record_pipelines` */
export function recordPipelinePath(base: string, name: string): string {
  return `${base}/${encodeURIComponent(name)}`;
}

/** What is in a store, and where it is. */
export function storeBody(
  { id, host }: Pick<StorePlace, 'id' | 'host'>,
  status: StoreStatus,
  at: BodyPlace,
): JsonObject {
  const { dir, bytes, counts, versions, activeRun } = status;
  return {
    reachable: true,
    id,
    host,
    dir,
    bytes,
    counts,
    versions,
    active_run: activeRun === null ? null : recordRunBody(activeRun, at),
    error: null,
  };
}

/** A store of which nothing can be told, and why. */
export function awayBody(
  error: { readonly type: string; readonly message: string },
  store: Pick<StorePlace, 'id' | 'host'> | undefined,
): JsonObject {
  return {
    reachable: false,
    id: store?.id ?? null,
    host: store?.host ?? null,
    dir: null,
    bytes: null,
    counts: null,
    versions: null,
    active_run: null,
    error: { type: error.type, message: error.message },
  };
}

/** What bodies with links are made of. */
export interface BodyPlace {
  /** Path of all record pipelines, as the client sees it. */
  readonly base: string;
  readonly engine: Engine;
}

/** A run, as far as its store or Temporal knows it. What nobody knows is null. */
export interface ToldRun {
  readonly id: string;
  readonly pipeline: string;
  readonly status: KnownRun['status'] | 'pending';
  readonly startedAt: string;
  readonly seenAt: string | null;
  readonly endedAt: string | null;
  readonly completed: number | null;
  readonly failed: number | null;
}

/** A run as lists tell it. */
export function recordRunBody(run: ToldRun, { base, engine }: BodyPlace): JsonObject {
  const { id, pipeline, status, startedAt, seenAt, endedAt, completed, failed } = run;
  const durationMs = endedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt);
  return {
    id,
    record_pipeline: pipeline,
    status,
    started_at: startedAt,
    seen_at: seenAt,
    ended_at: endedAt,
    duration_ms: durationMs === null ? null : Math.max(0, durationMs),
    completed,
    failed,
    workflow_id: formatRunId({ kind: 'record_pipeline', name: pipeline, executionId: id }),
    links: recordRunLinks(run, { base, engine }),
  };
}

/** Where more about a run is. */
export function recordRunLinks(
  { id, pipeline, endedAt }: Pick<ToldRun, 'id' | 'pipeline' | 'endedAt'>,
  { base, engine }: BodyPlace,
): JsonObject {
  const of = recordPipelinePath(base, pipeline);
  const self = `${of}/runs/${id}`;
  const temporalUi = engine.uiLink(
    formatRunId({ kind: 'record_pipeline', name: pipeline, executionId: id }),
  );
  return {
    self,
    events: `${self}/events`,
    failures: `${self}/failures`,
    record_pipeline: of,
    ...(endedAt === null && { cancel: `${self}/cancel` }),
    ...(temporalUi !== undefined && { temporal_ui: temporalUi }),
  };
}

/** A record that has failed in a run. */
export function failureBody(failure: RecordFailure): JsonObject {
  const { step, record, recordId, name, message, stack, at } = failure;
  return { step, record, record_id: recordId, name, message, stack: stack ?? null, at };
}

/** A version of a store. */
export function versionBody(version: VersionInfo, base: string, pipeline: string): JsonObject {
  const { id, at, reason, run, step, counts, bytes, file } = version;
  const of = recordPipelinePath(base, pipeline);
  const self = `${of}/versions/${encodeURIComponent(id)}`;
  return {
    id,
    created_at: at,
    reason,
    run: run ?? null,
    step: step ?? null,
    counts,
    bytes,
    file,
    links: {
      self,
      restore: `${self}/restore`,
      diff: `${of}/diff?before=${encodeURIComponent(id)}`,
    },
  };
}

/** What two states of a store differ in. */
export function diffBody(diff: DiffAnswer): JsonObject {
  return Object.fromEntries(
    Object.entries(diff).map(([record, { added, removed, changed, changes, cut }]) => [
      record,
      {
        added,
        removed,
        changed,
        changes: changes.map(({ id, before, after }) => ({ id, before, after })),
        unlisted: added + removed + changed - changes.length,
        truncated: cut.map(cutBody),
      },
    ]),
  );
}

/** A value that was cut. */
export function cutBody({ id, column, characters }: CutValue): JsonObject {
  return { id, column, characters };
}
