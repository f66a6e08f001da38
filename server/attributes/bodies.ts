import type { RunQuote } from '../../src/attribute-pipeline/run-catalog.js';
import type { PipelinePlace } from '../../src/attribute-pipeline/pipeline-catalog.js';
import type { Attribute, EntityType } from '../../src/attribute-pipeline/attribute.js';
import type {
  AwaitingValue,
  Entity,
  EntityWithValues,
  Page,
  ValueHistoryEntry,
} from '../../src/attribute-pipeline/entity-catalog.js';
import type { EvalStats } from '../../src/attribute-pipeline/eval-catalog.js';
import { pipelineName, type AttributePipeline } from '../../src/attribute-pipeline/pipeline.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import { viewed, type AttributeValue, type ValueView } from '../../src/attribute-pipeline/value.js';
import type { Json, JsonObject } from '../../src/definition/json.js';

/** What the bodies of a request have in common. */
export interface BodyPlace {
  /** What the paths of this API begin with. */
  readonly base: string;
}

/** A list, with what its next page is asked for by. */
export function listBody<T>(
  name: string,
  { items, next }: Page<T>,
  body: (item: T) => Json,
): JsonObject {
  return { [name]: items.map(body), ...(next !== undefined && { next }) };
}

export function entityTypeBody(
  { name, label, description, lockVersion, updatedBy, createdAt, updatedAt }: EntityType,
  { base }: BodyPlace,
): JsonObject {
  return {
    name,
    label,
    description,
    lock_version: lockVersion,
    updated_by: updatedBy,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
    links: {
      self: `${base}/entity_types/${name}`,
      attributes: `${base}/attributes?entity_type=${name}`,
      entities: `${base}/entities?entity_type=${name}`,
      pipelines: `${base}/attribute_pipelines?entity_type=${name}`,
    },
  };
}

export function attributeBody(attribute: Attribute, { base }: BodyPlace): JsonObject {
  const { entityType, name, pipelineId } = attribute;
  const full = `${entityType}.${name}`;
  return {
    entity_type: entityType,
    name,
    label: attribute.label,
    description: attribute.description,
    data_type: attribute.dataType,
    allowed_values: attribute.allowedValues,
    related_type: attribute.relatedType,
    editable: attribute.editable,
    needs_approval: attribute.needsApproval,
    is_sync: attribute.isSync,
    lock_version: attribute.lockVersion,
    updated_by: attribute.updatedBy,
    created_at: attribute.createdAt.toISOString(),
    updated_at: attribute.updatedAt.toISOString(),
    links: {
      self: `${base}/attributes/${full}`,
      ...(pipelineId !== null && { pipeline: `${base}/attribute_pipelines/${full}` }),
    },
  };
}

function entityHead({ id, entityType, key, label, createdAt, updatedAt }: Entity): JsonObject {
  return {
    id,
    entity_type: entityType,
    key,
    label,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

/** @param view - of the values; `all`: each with everything that is known of it */
export function entityBody(
  entity: EntityWithValues,
  view: ValueView | 'all',
  { base }: BodyPlace,
): JsonObject {
  const values = Object.entries(entity.values).flatMap(([name, value]) => {
    if (view === 'all') return [[name, valueBody(value)] as const];
    const seen = viewed(value, view);
    return seen === undefined ? [] : [[name, seen] as const];
  });
  return {
    ...entityHead(entity),
    values: Object.fromEntries(values),
    links: { self: `${base}/entities/${entity.id}` },
  };
}

/** Members that there are none of are not there: null is a value. */
export function valueBody(value: AttributeValue): JsonObject {
  const { current, approved, live, override } = value;
  const counts = viewed(value, 'with_override');
  return {
    ...(counts !== undefined && { value: counts }),
    ...(current !== undefined && { current }),
    ...(approved !== undefined && { approved }),
    ...(live !== undefined && { live }),
    ...(override !== undefined && { override }),
    awaits_approval: value.awaitsApproval,
    justification: value.justification,
    confidence: value.confidence,
    pipeline_version: value.pipelineVersion,
    run_id: value.runId,
    input_hash: value.inputHash,
    meta: value.meta,
    version: value.version,
  };
}

export function awaitingBody(
  { entity, attribute, value, updatedAt }: AwaitingValue,
  { base }: BodyPlace,
): JsonObject {
  const self = `${base}/entities/${entity.id}/values/${attribute}`;
  return {
    entity: entityHead(entity),
    attribute,
    value: valueBody(value),
    updated_at: updatedAt.toISOString(),
    links: { self, approve: `${self}/approve` },
  };
}

export function historyBody(entry: ValueHistoryEntry): JsonObject {
  return {
    version: entry.version,
    change: entry.change,
    ...(entry.value !== undefined && { value: entry.value }),
    justification: entry.justification,
    confidence: entry.confidence,
    pipeline_version: entry.pipelineVersion,
    inputs: entry.inputs,
    run_id: entry.runId,
    principal: entry.principal,
    at: entry.at.toISOString(),
  };
}

/** @param stats - where it is a list that shows them */
export function pipelineBody(
  pipeline: AttributePipeline,
  { base }: BodyPlace,
  stats?: EvalStats,
): JsonObject {
  const full = pipelineName(pipeline);
  const self = `${base}/attribute_pipelines/${full}`;
  const { lastRun } = pipeline;
  return {
    pipeline: full,
    entity_type: pipeline.entityType,
    attribute: pipeline.attribute,
    name: pipeline.name,
    modules: pipeline.modules.map(({ id, module, settings }) => ({ id, module, settings })),
    inputs: pipeline.inputs,
    reads_elsewhere: pipeline.readsElsewhere,
    on_error: pipeline.onError,
    automatic: pipeline.automatic,
    batch_size: pipeline.batchSize,
    run_budget: pipeline.runBudget,
    day_budget: pipeline.dayBudget,
    pipeline_version: pipeline.version,
    pipeline_updated_at: pipeline.versionAt.toISOString(),
    last_run:
      lastRun === null
        ? null
        : {
            at: lastRun.at.toISOString(),
            status: lastRun.status,
            duration_ms: lastRun.durationMs,
            processed: lastRun.processed,
            failed: lastRun.failed,
            tokens_in: lastRun.tokensIn,
            tokens_out: lastRun.tokensOut,
          },
    ...(stats !== undefined && {
      evals: stats.evals,
      failing_evals: stats.failing,
      average_confidence: stats.averageConfidence,
    }),
    lock_version: pipeline.lockVersion,
    updated_by: pipeline.updatedBy,
    created_at: pipeline.createdAt.toISOString(),
    updated_at: pipeline.updatedAt.toISOString(),
    links: {
      self,
      run: `${self}/run`,
      runs: `${self}/runs`,
      quote: `${self}/quote`,
      modules: `${self}/modules`,
      evals: `${self}/evals`,
    },
  };
}

export function runBody(run: AttributeRun, { base }: BodyPlace): JsonObject {
  const { counts, task } = run;
  const self = `${base}/attribute_runs/${run.id}`;
  return {
    id: run.id,
    pipeline: pipelineName(run),
    pipeline_version: run.pipelineVersion,
    run_seq: run.runSeq,
    workflow_id: run.workflowId,
    triggered_by: run.trigger,
    trigger_reference: run.reference,
    principal: run.principal,
    status: run.status,
    batch_size: run.batchSize,
    force: task.force,
    filter: (task.filter ?? null) as Json,
    max_entities: task.maxEntities ?? null,
    entities_processed: counts.processed,
    entities_failed: counts.failed,
    entities_skipped: counts.skipped,
    entities_unchanged: counts.unchanged,
    batches: counts.batches,
    tokens_in: run.tokensIn,
    tokens_out: run.tokensOut,
    cost: run.cost,
    warnings: run.warnings,
    created_at: run.createdAt.toISOString(),
    started_at: run.status === 'waiting' ? null : run.startedAt.toISOString(),
    completed_at: run.completedAt?.toISOString() ?? null,
    error_message: run.errorMessage,
    cancelled_by: run.cancelledBy,
    links: {
      self,
      events: `${self}/events`,
      failures: `${self}/failures`,
      ...(run.completedAt === null && { cancel: `${self}/cancel` }),
      pipeline: `${base}/attribute_pipelines/${pipelineName(run)}`,
    },
  };
}

export function quoteBody(place: PipelinePlace, force: boolean, quote: RunQuote): JsonObject {
  return {
    pipeline: pipelineName(place),
    force,
    entities: quote.entities,
    tokens_in: quote.tokensIn,
    tokens_out: quote.tokensOut,
    cost: quote.cost,
    runs_looked_at: quote.runsLookedAt,
  };
}
