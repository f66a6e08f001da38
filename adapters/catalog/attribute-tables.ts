import type {
  DataType,
  Editable,
  IsSync,
  NeedsApproval,
} from '../../src/attribute-pipeline/attribute.js';
import type { AttributeRunStatus, RunTrigger } from '../../src/attribute-pipeline/run.js';
import type { ValueChangeKind } from '../../src/attribute-pipeline/value.js';
import type {
  Count,
  Flag,
  OptionalFlag,
  JsonText,
  Optional,
  OptionalTime,
  Time,
} from './column-values.js';

/** A kind of entities. */
export interface EntityTypesTable {
  readonly id: string;
  readonly name: string;
  readonly label: Optional<string>;
  readonly description: Optional<string>;
  readonly lock_version: Count;
  /** Who has edited it last. */
  readonly updated_by: Optional<string>;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** An attribute of an entity type. */
export interface AttributesTable {
  readonly id: string;
  readonly entity_type_id: string;
  readonly name: string;
  readonly label: Optional<string>;
  readonly description: Optional<string>;
  readonly data_type: DataType;
  readonly allowed_values: Optional<JsonText>;
  readonly related_entity_type_id: Optional<string>;
  readonly editable: Editable;
  readonly needs_approval: NeedsApproval;
  readonly is_sync: IsSync;
  /** The pipeline that computes it. */
  readonly pipeline_id: Optional<string>;
  readonly lock_version: Count;
  /** Who has edited it last. */
  readonly updated_by: Optional<string>;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** Something that has attributes. */
export interface EntitiesTable {
  readonly id: string;
  readonly entity_type_id: string;
  readonly key: Optional<string>;
  readonly label: Optional<string>;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** What an entity has of one attribute. NULL is no value, `null` in JSON is known to be none. */
export interface EavVersionedTable {
  readonly entity_id: string;
  readonly attribute_id: string;
  readonly value_current: Optional<JsonText>;
  readonly value_approved: Optional<JsonText>;
  readonly value_live: Optional<JsonText>;
  readonly value_override: Optional<JsonText>;
  readonly input_hash: Optional<string>;
  readonly justification: Optional<string>;
  readonly confidence: Optional<number>;
  readonly pipeline_version: Optional<number>;
  readonly meta: Optional<JsonText>;
  /** Versions of the values that it was computed from, by the names of their attributes. */
  readonly inputs: Optional<JsonText>;
  readonly run_id: Optional<string>;
  readonly version: Count;
  readonly awaits_approval: Flag;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** What has happened to a value. */
export interface EavHistoryTable {
  readonly entity_id: string;
  readonly attribute_id: string;
  readonly version: number;
  readonly change: ValueChangeKind;
  readonly value: Optional<JsonText>;
  readonly justification: Optional<string>;
  readonly confidence: Optional<number>;
  readonly pipeline_version: Optional<number>;
  readonly inputs: Optional<JsonText>;
  readonly run_id: Optional<string>;
  readonly principal: Optional<string>;
  readonly at: Time;
}

/** A pipeline that computes an attribute. */
export interface PipelinesTable {
  readonly id: string;
  readonly attribute_id: string;
  readonly entity_type_id: string;
  readonly name: Optional<string>;
  readonly pipeline_version: Count;
  readonly pipeline_updated_at: Time;
  readonly on_error: 'abort' | 'continue';
  /** Whether it runs by itself. */
  readonly automatic: Flag;
  /** Whether one of its sources reads something beside attributes. */
  readonly reads_elsewhere: Flag;
  readonly batch_size: Optional<number>;
  readonly run_budget: Optional<number>;
  readonly day_budget: Optional<number>;
  readonly last_run_seq: Count;
  /** The last version for which a run has looked at every entity. */
  readonly covered_version: Count;
  /** What has changed before it was looked at by a run of all that had changed. */
  readonly looked_at: OptionalTime;
  readonly last_run_at: OptionalTime;
  readonly last_run_status: Optional<string>;
  readonly last_run_duration_ms: Optional<number>;
  readonly last_run_processed: Optional<number>;
  readonly last_run_failed: Optional<number>;
  readonly last_run_tokens_in: Optional<number>;
  readonly last_run_tokens_out: Optional<number>;
  readonly lock_version: Count;
  /** Who has edited it last. */
  readonly updated_by: Optional<string>;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** A module of a pipeline. */
export interface PipelineModulesTable {
  readonly id: string;
  readonly pipeline_id: string;
  readonly order: number;
  /** The module's slug. */
  readonly module_class: string;
  readonly settings: JsonText;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** An attribute that a pipeline reads. */
export interface PipelineInputsTable {
  readonly pipeline_id: string;
  readonly attribute_id: string;
}

/** An entity that a pipeline has to look at, since something that it reads has changed. */
export interface PipelineChangesTable {
  readonly pipeline_id: string;
  readonly entity_id: string;
  readonly cause: 'entity' | 'input' | 'pipeline' | 'request';
  /** The input that has changed last. */
  readonly attribute_id: Optional<string>;
  /** Who has made the last of them; null for a run of nobody. */
  readonly principal: Optional<string>;
  /** Counts changes: one that comes while a run works on the entity stays. */
  readonly seq: Count;
  readonly at: Time;
}

/** A run of a pipeline. */
export interface PipelineRunsTable {
  readonly id: string;
  readonly pipeline_id: string;
  readonly pipeline_version: number;
  /** Its number among the runs of the pipeline, from 1. */
  readonly run_seq: number;
  readonly workflow_id: string;
  readonly triggered_by: RunTrigger;
  readonly trigger_reference: Optional<string>;
  readonly principal: Optional<string>;
  readonly status: AttributeRunStatus;
  readonly batch_size: number;
  /** What it was asked for. */
  readonly task: JsonText;
  /** The last entity that was looked at. */
  readonly position: Optional<string>;
  /** Counts what was written: a batch names the one that it builds on. */
  readonly step: Count;
  readonly entities_processed: Count;
  readonly entities_failed: Count;
  readonly entities_skipped: Count;
  readonly entities_unchanged: Count;
  readonly batches: Count;
  readonly tokens_in: Optional<number>;
  readonly tokens_out: Optional<number>;
  readonly cost: Optional<number>;
  readonly warnings: Optional<JsonText>;
  readonly started_at: Time;
  readonly completed_at: OptionalTime;
  readonly error_message: Optional<string>;
  /** Who has asked for its end. */
  readonly cancelled_by: Optional<string>;
  readonly created_at: Time;
}

/** An entity that has failed in a run. */
export interface PipelineRunFailuresTable {
  readonly run_id: string;
  readonly entity_id: string;
  readonly module_class: string;
  readonly message: string;
  readonly at: Time;
}

/** What is wanted of a pipeline for an entity. */
export interface PipelineEvalsTable {
  readonly id: string;
  readonly pipeline_id: string;
  readonly entity_id: string;
  readonly input_hash: Optional<string>;
  readonly desired_output: JsonText;
  readonly comparison: JsonText;
  readonly notes: Optional<string>;
  readonly actual_output: Optional<JsonText>;
  readonly justification: Optional<string>;
  readonly confidence: Optional<number>;
  readonly passed: OptionalFlag;
  readonly last_ran_at: OptionalTime;
  readonly lock_version: Count;
  /** Who has edited it last. */
  readonly updated_by: Optional<string>;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** How many evals have passed at a time. */
export interface PipelineEvalRatesTable {
  readonly pipeline_id: string;
  readonly at: Time;
  readonly pipeline_version: number;
  readonly evals: number;
  readonly passed: number;
}

/** What a run, or evals, have used of a model on a day. */
export interface PipelineUsageTable {
  readonly pipeline_id: string;
  /** Empty for evals. */
  readonly run_id: string;
  readonly model: string;
  /** In UTC: `2026-11-26`. */
  readonly day: string;
  readonly calls: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly cost: Optional<number>;
}

/** The tables of entities, attributes and what computes them. */
export interface AttributeTables {
  readonly entity_types: EntityTypesTable;
  readonly attributes: AttributesTable;
  readonly entities: EntitiesTable;
  readonly eav_versioned: EavVersionedTable;
  readonly eav_history: EavHistoryTable;
  readonly pipelines: PipelinesTable;
  readonly pipeline_modules: PipelineModulesTable;
  readonly pipeline_inputs: PipelineInputsTable;
  readonly pipeline_changes: PipelineChangesTable;
  readonly pipeline_runs: PipelineRunsTable;
  readonly pipeline_run_failures: PipelineRunFailuresTable;
  readonly pipeline_usage: PipelineUsageTable;
  readonly pipeline_evals: PipelineEvalsTable;
  readonly pipeline_eval_rates: PipelineEvalRatesTable;
}
