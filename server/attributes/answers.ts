import { z } from 'zod';
import {
  DATA_TYPES,
  EDITABLE,
  IS_SYNC,
  NEEDS_APPROVAL,
} from '../../src/attribute-pipeline/attribute.js';
import { ON_ERROR } from '../../src/attribute-pipeline/pipeline.js';
import {
  ATTRIBUTE_RUN_STATUSES,
  RUN_TRIGGERS,
  WAIT_KINDS,
} from '../../src/attribute-pipeline/run.js';
import { EXECUTION_STATUSES } from '../../src/progress/status.js';

const text = z.string();
const optionalText = z.string().nullable();
const time = z.iso.datetime();
const count = z.int().nonnegative();
const optionalCount = count.nullable();
const links = z.record(text, text);
const value = z.unknown();

const valueAnswer = z.strictObject({
  value: value.optional(),
  current: value.optional(),
  approved: value.optional(),
  live: value.optional(),
  override: value.optional(),
  awaits_approval: z.boolean(),
  justification: optionalText,
  confidence: z.number().nullable(),
  pipeline_version: optionalCount,
  run_id: optionalText,
  input_hash: optionalText,
  meta: z.record(text, value).nullable(),
  version: count,
});

const entityHead = {
  id: text,
  entity_type: text,
  key: optionalText,
  label: optionalText,
  created_at: time,
  updated_at: time,
};

const pipelineAnswer = z.strictObject({
  pipeline: text,
  entity_type: text,
  attribute: text,
  name: optionalText,
  modules: z.array(z.strictObject({ id: text, module: text, settings: z.record(text, value) })),
  inputs: z.array(text),
  reads_elsewhere: z.boolean(),
  on_error: z.enum(ON_ERROR),
  automatic: z.boolean(),
  batch_size: optionalCount,
  run_budget: z.number().nullable(),
  day_budget: z.number().nullable(),
  pipeline_version: count,
  pipeline_updated_at: time,
  evals: count.optional(),
  failing_evals: count.optional(),
  average_confidence: z.number().nullable().optional(),
  last_run: z
    .strictObject({
      at: time,
      status: text,
      duration_ms: optionalCount,
      processed: count,
      failed: count,
      tokens_in: optionalCount,
      tokens_out: optionalCount,
    })
    .nullable(),
  lock_version: count,
  updated_by: optionalText,
  created_at: time,
  updated_at: time,
  links,
});

const runAnswer = z.strictObject({
  id: text,
  pipeline: text,
  pipeline_version: count,
  run_seq: count,
  workflow_id: text,
  triggered_by: z.enum(RUN_TRIGGERS),
  trigger_reference: optionalText,
  principal: optionalText,
  status: z.enum(ATTRIBUTE_RUN_STATUSES),
  batch_size: count,
  force: z.boolean(),
  filter: z.array(z.unknown()).nullable(),
  max_entities: optionalCount,
  entities_processed: count,
  entities_failed: count,
  entities_skipped: count,
  entities_unchanged: count,
  batches: count,
  tokens_in: optionalCount,
  tokens_out: optionalCount,
  cost: z.number().nullable(),
  warnings: z.array(text),
  created_at: time,
  started_at: time.nullable(),
  completed_at: time.nullable(),
  error_message: optionalText,
  cancelled_by: optionalText,
  waits_for: z
    .strictObject({ kind: z.enum(WAIT_KINDS), reason: text })
    .nullable()
    .optional(),
  links,
});

const evalAnswer = z.strictObject({
  id: text,
  pipeline: text,
  entity_id: text,
  entity_key: optionalText,
  desired_output: value,
  comparison: z.record(text, value),
  notes: optionalText,
  actual_output: value.optional(),
  justification: optionalText,
  confidence: z.number().nullable(),
  passed: z.boolean().nullable(),
  input_hash: optionalText,
  last_ran_at: time.nullable(),
  lock_version: count,
  updated_by: optionalText,
  created_at: time,
  updated_at: time,
  links,
});

const usage = {
  calls: count,
  tokens_in: count,
  tokens_out: count,
  cost: z.number().nullable(),
};

/** The forms of the answers of this API: its description is made of them, and tests hold real answers to them. */
const refreshAnswer = z.strictObject({
  id: text,
  workflow_id: text,
  status: z.enum(EXECUTION_STATUSES),
  principal: optionalText,
  started_at: time,
  completed_at: time.nullable(),
  planned: count,
  completed: count,
  failed: count,
  attribute_runs: z.array(
    z.strictObject({
      id: text,
      pipeline: text,
      status: z.enum([...EXECUTION_STATUSES, 'refused']),
      waits_for: z.array(text),
      error_message: optionalText,
      links: links.optional(),
    }),
  ),
  links,
});

export const answers = {
  /** A page of something. */
  list: (name: string, item: z.ZodType) =>
    z.strictObject({ [name]: z.array(item), next: text.optional(), count: count.optional() }),
  entityType: z.strictObject({
    name: text,
    label: optionalText,
    description: optionalText,
    lock_version: count,
    updated_by: optionalText,
    created_at: time,
    updated_at: time,
    links,
  }),
  attribute: z.strictObject({
    entity_type: text,
    name: text,
    label: optionalText,
    description: optionalText,
    data_type: z.enum(DATA_TYPES),
    allowed_values: z.array(text).nullable(),
    related_type: optionalText,
    editable: z.enum(EDITABLE),
    needs_approval: z.enum(NEEDS_APPROVAL),
    is_sync: z.enum(IS_SYNC),
    lock_version: count,
    updated_by: optionalText,
    created_at: time,
    updated_at: time,
    links,
  }),
  entity: z.strictObject({ ...entityHead, values: z.record(text, value), links }),
  saved: z.strictObject({
    entities: z.array(z.strictObject({ id: text, is_new: z.boolean(), changed: z.array(text) })),
  }),
  value: valueAnswer,
  evalReport: z.strictObject({
    workflow_id: text,
    evals: count.optional(),
    passed: count.optional(),
    ran: count.optional(),
    left_out: count.optional(),
  }),
  refresh: refreshAnswer,
  awaiting: z.strictObject({
    entity: z.strictObject(entityHead),
    attribute: text,
    value: valueAnswer,
    updated_at: time,
    links,
  }),
  history: z.strictObject({
    version: count,
    change: text,
    value: value.optional(),
    justification: optionalText,
    confidence: z.number().nullable(),
    pipeline_version: optionalCount,
    inputs: z.record(text, count).nullable(),
    run_id: optionalText,
    principal: optionalText,
    at: time,
  }),
  pipeline: pipelineAnswer,
  moduleDefinition: z.strictObject({
    slug: text,
    label: text,
    description: text,
    type: z.enum(['source', 'processor']),
    settings_schema: z.record(text, value),
  }),
  quote: z.strictObject({
    pipeline: text,
    force: z.boolean(),
    entities: count,
    tokens_in: optionalCount,
    tokens_out: optionalCount,
    cost: z.number().nullable(),
    runs_looked_at: count,
  }),
  run: runAnswer,
  eval: evalAnswer,
  evalRate: z.strictObject({
    at: time,
    pipeline_version: count,
    evals: count,
    passed: count,
    pass_rate: z.number().nullable(),
  }),
  explanation: z.strictObject({
    value: valueAnswer,
    pipeline: pipelineAnswer.nullable(),
    run: runAnswer.nullable(),
    inputs: z.array(
      z.strictObject({ attribute: text, used_version: optionalCount, version: count, value }),
    ),
    usage: z.array(z.strictObject({ model: text, ...usage })).nullable(),
    eval: evalAnswer.nullable(),
    stale: z.boolean(),
    stale_reasons: z.array(text),
  }),
  cost: z.strictObject({
    pipeline: text.optional(),
    model: text.optional(),
    day: text.optional(),
    run: text.optional(),
    ...usage,
  }),
  trial: z.strictObject({
    status: z.enum(['ok', 'skipped', 'error']),
    inputs: z.record(text, value),
    value,
    confidence: z.number().nullable(),
    justification: optionalText,
    meta: z.record(text, value),
    warnings: z.array(text),
    usage: z.array(z.strictObject({ model: text, ...usage })),
    message: optionalText,
    module: optionalText,
  }),
  failure: z.strictObject({
    entity_id: text,
    entity_key: optionalText,
    module: text,
    message: text,
    at: time,
    links,
  }),
} as const;
