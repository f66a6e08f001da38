import type { JsonObject } from '../src/definition/json.js';
import type { ColumnKind } from '../src/record-store/column.js';
import type { VersionReason } from '../src/record-store/store.js';
import { ref } from './openapi-references.js';
import { PAGE } from './query-parameters.js';
import type { ToldRun } from './record-pipeline-body.js';

const RUN_STATUSES = Object.keys({
  pending: true,
  in_progress: true,
  success: true,
  failed: true,
  cancelled: true,
  interrupted: true,
} satisfies Record<ToldRun['status'], true>);

const REASONS = Object.keys({
  transaction: true,
  run_start: true,
  step: true,
  interval: true,
  failure: true,
  run_end: true,
  before_restore: true,
  asked: true,
} satisfies Record<VersionReason, true>);

const COLUMN_KINDS = Object.keys({
  text: true,
  integer: true,
  bigint: true,
  real: true,
  boolean: true,
  date: true,
  json: true,
} satisfies Record<ColumnKind, true>);

const text: JsonObject = { type: 'string' };
const count: JsonObject = { type: 'integer', minimum: 0 };
const time: JsonObject = { type: 'string', format: 'date-time' };
const counts: JsonObject = {
  type: 'object',
  description: 'Records by type.',
  additionalProperties: count,
};
const anyRecord: JsonObject = {
  type: 'object',
  description:
    'The columns of a record, and its id. Dates are ISO 8601, bigints texts, and what is empty is null.',
  required: ['id'],
  properties: { id: { type: 'integer' } },
};

function orNull(type: 'string' | 'integer', more: JsonObject = {}): JsonObject {
  return { type: [type, 'null'], ...more };
}

const timeOrNull = orNull('string', { format: 'date-time' });

function list(items: JsonObject): JsonObject {
  return { type: 'array', items };
}

function eitherNull(schema: JsonObject): JsonObject {
  return { anyOf: [schema, { type: 'null' }] };
}

/** An object whose members are all there, but for the optional ones. */
function whole(properties: JsonObject, optional: JsonObject = {}): JsonObject {
  return {
    type: 'object',
    required: Object.keys(properties),
    properties: { ...properties, ...optional },
  };
}

const pipeline: JsonObject = {
  name: text,
  description: orNull('string'),
  processor: {
    oneOf: [
      whole({ kind: { const: 'sync' } }),
      whole({ kind: { const: 'async' }, concurrency: count, enqueue_seconds: { type: 'number' } }),
    ],
  },
  on_error: { enum: ['stop', 'continue'] },
  max_errors: count,
  timeout_ms: count,
  steps: list(whole({ label: text, max_passes: count, timeout_ms: count })),
  record_types: list(
    whole({
      name: text,
      table: text,
      columns: list(
        whole({ name: text, kind: { enum: COLUMN_KINDS }, nullable: { type: 'boolean' } }),
      ),
      links: whole({ records: text }),
    }),
  ),
  links: whole({ self: text, run: text, runs: text, versions: text, diff: text }),
};

const run: JsonObject = {
  id: text,
  record_pipeline: text,
  status: {
    enum: RUN_STATUSES,
    description:
      'pending: it does not have its store yet. interrupted: it was ended from outside, and has told nothing.',
  },
  started_at: time,
  seen_at: orNull('string', { format: 'date-time', description: 'When it last wrote something.' }),
  ended_at: timeOrNull,
  duration_ms: orNull('integer', { minimum: 0, description: 'Null while it goes on.' }),
  completed: orNull('integer', {
    minimum: 0,
    description: 'Records that were worked on; null where only the store knows it.',
  }),
  failed: orNull('integer', { minimum: 0, description: 'Records that have failed; likewise.' }),
  workflow_id: text,
  links: ref('schemas', 'RecordRunLinks'),
};

const told = whole({ type: text, message: text });

/** The schemas of record pipelines, for documents that describe some. */
export const RECORD_PIPELINE_SCHEMAS: JsonObject = {
  RecordPipeline: whole(pipeline),
  RecordPipelineList: whole({ record_pipelines: list(ref('schemas', 'RecordPipeline')) }),
  RecordPipelineDetails: {
    allOf: [ref('schemas', 'RecordPipeline')],
    ...whole({ store: ref('schemas', 'RecordStore') }),
  },
  RecordStore: whole({
    reachable: { type: 'boolean', description: 'False: no worker that has it answers now.' },
    id: orNull('string'),
    host: orNull('string', { description: 'The machine that has it, or had it last.' }),
    dir: orNull('string', { description: 'On that machine.' }),
    bytes: orNull('integer'),
    counts: eitherNull(counts),
    versions: orNull('integer'),
    active_run: eitherNull(ref('schemas', 'RecordRun')),
    error: eitherNull(told),
  }),
  RecordRunRequest: {
    type: 'object',
    additionalProperties: false,
    properties: {
      queue: {
        type: 'boolean',
        description: 'Wait for the end of another run on the store, instead of being refused.',
      },
      retry_failed: {
        type: 'boolean',
        description: 'Only records that have failed in earlier runs, and not since.',
      },
    },
  },
  RecordRunLinks: whole(
    { self: text, events: text, failures: text, record_pipeline: text },
    { cancel: text, temporal_ui: text },
  ),
  RecordRun: whole(run),
  RecordRunDetails: {
    allOf: [ref('schemas', 'RecordRun')],
    ...whole({
      error: eitherNull(told),
      principal: orNull('string'),
      store_error: {
        ...eitherNull(told),
        description: 'Why the store could not be asked; the run is then told as Temporal knows it.',
      },
    }),
  },
  RecordRunAccepted: whole({
    run: ref('schemas', 'RecordRun'),
    links: ref('schemas', 'RecordRunLinks'),
  }),
  RecordRunList: whole({ runs: list(ref('schemas', 'RecordRun')) }, { next_before: text }),
  RecordFailure: whole({
    step: text,
    record: text,
    record_id: { type: 'integer' },
    name: text,
    message: text,
    stack: orNull('string'),
    at: time,
  }),
  RecordFailureList: whole(
    { failures: list(ref('schemas', 'RecordFailure')) },
    { next_after: text },
  ),
  RecordVersion: whole({
    id: text,
    created_at: time,
    reason: { enum: REASONS },
    run: orNull('string'),
    step: orNull('string'),
    counts,
    bytes: count,
    file: { type: 'string', description: 'A SQLite database, on the machine of the store.' },
    links: whole({ self: text, restore: text, diff: text }),
  }),
  RecordVersionList: whole(
    { versions: list(ref('schemas', 'RecordVersion')) },
    { next_before: text },
  ),
  RecordVersionMade: whole({
    version: ref('schemas', 'RecordVersion'),
    links: whole({ versions: text }),
  }),
  RecordVersionRestored: whole({
    restored: ref('schemas', 'RecordVersion'),
    replaced: ref('schemas', 'RecordVersion'),
    links: whole({ versions: text }),
  }),
  RecordCopying: whole({ links: whole({ versions: text }) }),
  RecordCut: {
    ...whole({ id: { type: 'integer' }, column: text, characters: count }),
    description: 'A value of which the beginning is shown, and how long it is.',
  },
  RecordList: whole(
    { records: list(anyRecord), truncated: list(ref('schemas', 'RecordCut')) },
    { next_after: { type: 'integer' } },
  ),
  RecordDiff: whole({
    before: text,
    after: orNull('string', { description: 'Null is now.' }),
    diff: {
      type: 'object',
      description: 'By record type.',
      additionalProperties: whole({
        added: count,
        removed: count,
        changed: count,
        changes: list(
          whole({
            id: { type: 'integer' },
            before: eitherNull(anyRecord),
            after: eitherNull(anyRecord),
          }),
        ),
        unlisted: { ...count, description: 'Records that differ and are not among the changes.' },
        truncated: list(ref('schemas', 'RecordCut')),
      }),
    },
  }),
};

function inPath(name: string, description: string): JsonObject {
  return { name, in: 'path', required: true, description, schema: text };
}

function inQuery(name: string, description: string, schema: JsonObject = text): JsonObject {
  return { name, in: 'query', description, schema };
}

/** The parameters of record pipelines. */
export const RECORD_PIPELINE_PARAMETERS = {
  RecordPipelineName: inPath('name', 'Of the record pipeline.'),
  RecordRunId: inPath('run_id', "The run's id."),
  RecordVersionId: inPath('version', "The version's id."),
  RecordTypeName: inPath('record', 'The record type, by its name in the store.'),
  RecordPageLimit: inQuery(
    'limit',
    'Most entries of the page; of a diff, most records of each type.',
    {
      type: 'integer',
      minimum: 1,
      maximum: PAGE.most,
      default: PAGE.usual,
    },
  ),
  RecordsBefore: inQuery('before', 'next_before of the page before.'),
  RecordFailuresAfter: inQuery('after', 'next_after of the page before.'),
  RecordsAfter: inQuery('after', 'next_after of the page before: an id.', count),
  RecordsWhere: {
    name: 'where',
    in: 'query',
    description:
      'Conditions by column, which all have to hold. Operators: eq, not, in, gt, gte, lt, lte, like. A list means one of these, null: has no value.',
    content: {
      'application/json': {
        schema: { type: 'object' },
        example: { age: { gte: 18 }, name: ['Ann', 'Bea'], email: null },
      },
    },
  },
  RecordDiffBefore: { ...inQuery('before', 'The id of a version.'), required: true },
  RecordDiffAfter: inQuery('after', 'The id of a version; what there is now unless given.'),
} as const satisfies JsonObject;
