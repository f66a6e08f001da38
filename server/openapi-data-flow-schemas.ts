import { FLOW_RUN_STATUSES, type FlowTrigger } from '../src/data-flow/catalog.js';
import { FLOW_LIMITS } from '../src/data-flow/limits.js';
import { REJECTION_PHASES } from '../src/data-flow/row.js';
import type { JsonObject } from '../src/definition/json.js';
import { ref } from './openapi-references.js';
import { PAGE } from './query-parameters.js';

const TRIGGERS = [
  'schedule',
  'heartbeat',
  'manual',
  'after',
  'backfill',
] as const satisfies readonly FlowTrigger[];

const text: JsonObject = { type: 'string' };
const flag: JsonObject = { type: 'boolean' };
const count: JsonObject = { type: 'integer', minimum: 0 };
const time: JsonObject = { type: 'string', format: 'date-time' };
const cursor: JsonObject = {
  description: 'Where the flow is, in the form of its source; null at the beginning.',
};
const status: JsonObject = { enum: [...FLOW_RUN_STATUSES] };

function orNull(type: 'string' | 'integer', more: JsonObject = {}): JsonObject {
  return { type: [type, 'null'], ...more };
}

const timeOrNull = orNull('string', { format: 'date-time' });

function list(name: string): JsonObject {
  return { type: 'array', items: ref('schemas', name) };
}

/** An object whose members are all there, but for the optional ones. */
function whole(properties: JsonObject, optional: JsonObject = {}): JsonObject {
  return {
    type: 'object',
    required: Object.keys(properties),
    properties: { ...properties, ...optional },
  };
}

const flow: JsonObject = {
  id: text,
  name: text,
  description: orNull('string'),
  enabled: flag,
  note: orNull('string', {
    description:
      'Why it was paused, of a flow that was disabled by it. Of one that a Temporal Schedule starts, its schedule has the note.',
  }),
  configuration: { type: 'object' },
  configuration_problems: {
    type: 'array',
    description: 'What does not fit its schema. The flow is not run until it is changed.',
    items: whole({ path: text, message: text }),
  },
  run_interval: orNull('integer', { minimum: 1, description: 'Seconds.' }),
  schedule: { anyOf: [ref('schemas', 'DataFlowSchedulePlan'), { type: 'null' }] },
  after: { type: 'array', items: text },
  heartbeat: flag,
  defined: { type: 'boolean', description: "False where this server's code does not have it." },
  last_run_at: timeOrNull,
  last_run_status: { enum: ['success', 'failed', 'cancelled', null] },
  last_run_seq: count,
  cursor,
  created_at: time,
  updated_at: time,
  links: whole({ self: text, runs: text }, { schedule: text }),
};

const run: JsonObject = {
  id: text,
  run_seq: { type: 'integer', minimum: 1 },
  data_flow: text,
  status,
  trigger: { enum: [...TRIGGERS] },
  started_at: time,
  ended_at: timeOrNull,
  duration_ms: orNull('integer', { minimum: 0, description: 'Null while it goes on.' }),
  error_message: orNull('string'),
  first_cursor: cursor,
  last_cursor: cursor,
  rows_read: count,
  rows_written: count,
  rows_rejected: count,
  rows_skipped: count,
  rows_new: count,
  rows_updated: count,
  rows_redundant: count,
  rows_unpredictable: count,
  batches: count,
  scheduled_at: timeOrNull,
  workflow_id: text,
  principal: orNull('string'),
  links: ref('schemas', 'DataFlowRunLinks'),
};

/** The schemas of data flows, for documents that describe some. */
export const DATA_FLOW_SCHEMAS: JsonObject = {
  DataFlowSchedulePlan: {
    oneOf: [
      whole({ kind: { const: 'every' }, seconds: { type: 'integer', minimum: 1 } }),
      whole({ kind: { const: 'cron' }, cron: text, timezone: text }),
      whole({ kind: { const: 'heartbeat' }, seconds: { type: 'integer', minimum: 1 } }),
      whole({ kind: { const: 'none' } }),
    ],
  },
  DataFlow: whole(flow, {
    configuration_schema: { type: 'object', description: 'JSON Schema, draft 2020-12.' },
  }),
  DataFlowList: whole({ data_flows: list('DataFlow') }),
  DataFlowChange: {
    type: 'object',
    additionalProperties: false,
    properties: {
      enabled: flag,
      run_interval: { type: 'integer', minimum: 1, description: 'Seconds.' },
      configuration: {
        type: 'object',
        description: 'Merged over what the flow has; null puts a property back to its default.',
      },
    },
  },
  DataFlowNote: {
    type: 'object',
    additionalProperties: false,
    properties: { note: { type: 'string', maxLength: FLOW_LIMITS.noteCharacters } },
  },
  DataFlowReset: { type: 'object', additionalProperties: false, properties: { cursor } },
  DataFlowRange: { ...whole({ start: time, end: time }), additionalProperties: false },
  DataFlowBackfill: whole({
    backfill: whole({ start: time, end: time, requested_at: time }),
    links: whole({ runs: text }),
  }),
  DataFlowSchedule: whole({
    paused: flag,
    note: text,
    next: { type: 'array', items: time, description: 'The next times, at most ten.' },
    skipped: { ...count, description: 'Times that were left out because a run went on.' },
    schedule: ref('schemas', 'DataFlowSchedulePlan'),
  }),
  DataFlowRunLinks: whole(
    { self: text, events: text, rejections: text, data_flow: text },
    { cancel: text, temporal_ui: text },
  ),
  DataFlowRun: whole(run, { error_backtrace: orNull('string') }),
  DataFlowRunAccepted: whole({
    run: ref('schemas', 'DataFlowRun'),
    links: ref('schemas', 'DataFlowRunLinks'),
  }),
  DataFlowRunList: whole({ runs: list('DataFlowRun') }, { next_before: { type: 'integer' } }),
  DataFlowRejection: whole({
    row_number: { type: 'integer', minimum: 1 },
    phase: { enum: [...REJECTION_PHASES] },
    reason: text,
    row: {},
    created_at: time,
  }),
  DataFlowRejectionList: whole(
    { rejections: list('DataFlowRejection') },
    { next_after: { type: 'integer' } },
  ),
  DataFlowHeartbeat: whole({ flows_due: count, flows_triggered: count, timestamp: time }),
};

/** The parameters of data flows. */
export const DATA_FLOW_PARAMETERS = {
  FlowName: { name: 'name', in: 'path', required: true, schema: text },
  FlowRunId: {
    name: 'run_id',
    in: 'path',
    required: true,
    description: "The run's id, or its number.",
    schema: text,
  },
  FlowRunStatus: { name: 'status', in: 'query', schema: status },
  FlowPageLimit: {
    name: 'limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: PAGE.most, default: PAGE.usual },
  },
  FlowRunsBefore: {
    name: 'before',
    in: 'query',
    description: 'next_before of the page before.',
    schema: count,
  },
  FlowRejectionsAfter: {
    name: 'after',
    in: 'query',
    description: 'next_after of the page before.',
    schema: count,
  },
} as const satisfies JsonObject;
