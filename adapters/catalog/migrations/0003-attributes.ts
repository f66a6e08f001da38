import { sql, type CreateTableBuilder, type Kysely } from 'kysely';
import type { ColumnTypes } from './column-types.js';

/** Entities and their attributes, and the pipelines that compute them: the tables of seed 003, and those that it assumes. */
export async function createAttributes(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await createEntities(db, types);
  await createPipelines(db, types);
  await linkAttributes(db, types);
  await createValues(db, types);
  await createRuns(db, types);
  await createEvals(db, types);
}

type Create = CreateTableBuilder<string, string>;

function id(table: Create): Create {
  return table.addColumn('id', 'text', (column) => column.primaryKey().notNull());
}

function times(table: Create, types: ColumnTypes): Create {
  return table
    .addColumn('created_at', types.time, (column) => column.notNull())
    .addColumn('updated_at', types.time, (column) => column.notNull());
}

/** What somebody edits: an edit names the number that it was made from, and who has made it. */
function lockVersion(table: Create, types: ColumnTypes): Create {
  return table
    .addColumn('lock_version', types.count, (column) => column.notNull().defaultTo(1))
    .addColumn('updated_by', 'text');
}

async function createEntities(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  let entityTypes: Create = id(db.schema.createTable('entity_types'))
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('label', 'text')
    .addColumn('description', 'text');
  entityTypes = times(lockVersion(entityTypes, types), types);
  await entityTypes.modifyEnd(types.tableEnd).execute();
  let attributes: Create = id(db.schema.createTable('attributes'))
    .addColumn('entity_type_id', 'text', (column) => column.notNull().references('entity_types.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('label', 'text')
    .addColumn('description', 'text')
    .addColumn('data_type', 'text', (column) =>
      column
        .notNull()
        .check(
          sql`data_type in ('integer', 'number', 'boolean', 'text', 'html', 'json', 'select', 'multiselect', 'belongs_to', 'belongs_to_multi')`,
        ),
    )
    .addColumn('allowed_values', types.json)
    .addColumn('related_entity_type_id', 'text', (column) => column.references('entity_types.id'))
    .addColumn('editable', 'text', (column) =>
      column.notNull().check(sql`editable in ('yes', 'no', 'overridable')`),
    )
    .addColumn('needs_approval', 'text', (column) =>
      column.notNull().check(sql`needs_approval in ('yes', 'no', 'only_low_confidence')`),
    )
    .addColumn('is_sync', 'text', (column) =>
      column
        .notNull()
        .check(sql`is_sync in ('no', 'from_external', 'to_external', 'bidirectional')`),
    );
  attributes = times(lockVersion(attributes, types), types).addUniqueConstraint(
    'attributes_entity_type_id_name',
    ['entity_type_id', 'name'],
  );
  await attributes.modifyEnd(types.tableEnd).execute();
  let entities: Create = id(db.schema.createTable('entities'))
    .addColumn('entity_type_id', 'text', (column) => column.notNull().references('entity_types.id'))
    // What it is called elsewhere: imports find it again by it.
    .addColumn('key', 'text')
    .addColumn('label', 'text');
  entities = times(entities, types).addUniqueConstraint('entities_entity_type_id_key', [
    'entity_type_id',
    'key',
  ]);
  await entities.modifyEnd(types.tableEnd).execute();
  await db.schema
    .createIndex('entities_entity_type_id_id')
    .on('entities')
    .columns(['entity_type_id', 'id'])
    .execute();
}

async function createPipelines(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  let pipelines: Create = id(db.schema.createTable('pipelines'))
    .addColumn('attribute_id', 'text', (column) =>
      column
        .notNull()
        .unique()
        .references('attributes.id')
        .onUpdate('cascade')
        .onDelete('restrict'),
    )
    .addColumn('entity_type_id', 'text', (column) => column.notNull().references('entity_types.id'))
    .addColumn('name', 'text')
    .addColumn('pipeline_version', types.count, (column) => column.notNull().defaultTo(1))
    .addColumn('pipeline_updated_at', types.time, (column) => column.notNull())
    .addColumn('on_error', 'text', (column) =>
      column.notNull().check(sql`on_error in ('abort', 'continue')`),
    )
    .addColumn('automatic', types.flag, (column) => column.notNull())
    .addColumn('reads_elsewhere', types.flag, (column) => column.notNull())
    .addColumn('batch_size', types.count, (column) => column.check(sql`batch_size > 0`))
    .addColumn('run_budget', types.real)
    .addColumn('day_budget', types.real)
    .addColumn('last_run_seq', types.count, (column) => column.notNull().defaultTo(0))
    // The version for which a run has looked at every entity.
    .addColumn('covered_version', types.count, (column) => column.notNull().defaultTo(0))
    // What has changed before it was looked at by a run of all that had changed.
    .addColumn('looked_at', types.time)
    .addColumn('last_run_at', types.time)
    .addColumn('last_run_status', 'text');
  for (const counter of LAST_RUN) pipelines = pipelines.addColumn(counter, types.count);
  pipelines = times(lockVersion(pipelines, types), types).addUniqueConstraint(
    'pipelines_entity_type_id_name',
    ['entity_type_id', 'name'],
  );
  await pipelines.modifyEnd(types.tableEnd).execute();
  const modules: Create = id(db.schema.createTable('pipeline_modules'))
    .addColumn('pipeline_id', 'text', cascading('pipelines.id'))
    .addColumn('order', types.count, (column) => column.notNull())
    .addColumn('module_class', 'text', (column) => column.notNull())
    .addColumn('settings', types.json, (column) => column.notNull());
  await times(modules, types)
    .addUniqueConstraint('pipeline_modules_pipeline_id_order', ['pipeline_id', 'order'])
    .modifyEnd(types.tableEnd)
    .execute();
  await db.schema
    .createTable('pipeline_inputs')
    .addColumn('pipeline_id', 'text', cascading('pipelines.id'))
    .addColumn('attribute_id', 'text', (column) => column.notNull().references('attributes.id'))
    .addPrimaryKeyConstraint('pipeline_inputs_pkey', ['pipeline_id', 'attribute_id'])
    .modifyEnd(types.tableEnd)
    .execute();
  await db.schema
    .createIndex('pipeline_inputs_attribute_id')
    .on('pipeline_inputs')
    .column('attribute_id')
    .execute();
}

const LAST_RUN = [
  'last_run_duration_ms',
  'last_run_processed',
  'last_run_failed',
  'last_run_tokens_in',
  'last_run_tokens_out',
] as const;

type Cascading = Parameters<Create['addColumn']>[2];

function cascading(reference: string): Cascading {
  return (column) => column.notNull().references(reference).onDelete('cascade');
}

/** Attributes and pipelines point at each other. */
async function linkAttributes(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable('attributes')
    .addColumn('pipeline_id', 'text', (column) =>
      column.references('pipelines.id').onDelete('set null'),
    )
    .execute();
  await db.schema
    .createIndex('attributes_pipeline_id')
    .unique()
    .on('attributes')
    .column('pipeline_id')
    .execute();
  // Entities that a pipeline has to look at, since something that it reads has changed.
  await db.schema
    .createTable('pipeline_changes')
    .addColumn('pipeline_id', 'text', cascading('pipelines.id'))
    .addColumn('entity_id', 'text', cascading('entities.id'))
    .addColumn('cause', 'text', (column) =>
      column.notNull().check(sql`cause in ('entity', 'input', 'pipeline', 'request')`),
    )
    .addColumn('attribute_id', 'text')
    .addColumn('principal', 'text')
    // Counts changes: one that comes while a run works on the entity stays.
    .addColumn('seq', types.count, (column) => column.notNull().defaultTo(1))
    .addColumn('at', types.time, (column) => column.notNull())
    .addPrimaryKeyConstraint('pipeline_changes_pkey', ['pipeline_id', 'entity_id'])
    .modifyEnd(types.tableEnd)
    .execute();
  await db.schema
    .createIndex('pipeline_changes_entity_id')
    .on('pipeline_changes')
    .column('entity_id')
    .execute();
}

async function createValues(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('eav_versioned')
    .addColumn('entity_id', 'text', cascading('entities.id'))
    .addColumn('attribute_id', 'text', cascading('attributes.id'))
    .addColumn('value_current', types.json)
    .addColumn('value_approved', types.json)
    .addColumn('value_live', types.json)
    .addColumn('value_override', types.json)
    .addColumn('input_hash', 'text')
    .addColumn('justification', 'text')
    .addColumn('confidence', types.real, (column) =>
      column.check(sql`confidence >= 0 and confidence <= 1`),
    )
    .addColumn('pipeline_version', types.count)
    .addColumn('meta', types.json)
    .addColumn('inputs', types.json)
    .addColumn('run_id', 'text')
    .addColumn('version', types.count, (column) => column.notNull().defaultTo(1))
    .addColumn('awaits_approval', types.flag, (column) => column.notNull())
    .addColumn('created_at', types.time, (column) => column.notNull())
    .addColumn('updated_at', types.time, (column) => column.notNull())
    .addPrimaryKeyConstraint('eav_versioned_pkey', ['entity_id', 'attribute_id'])
    .modifyEnd(types.tableEnd)
    .execute();
  await db.schema
    .createIndex('eav_versioned_attribute_id_entity_id')
    .on('eav_versioned')
    .columns(['attribute_id', 'entity_id'])
    .execute();
  await db.schema
    .createIndex('eav_versioned_awaits_approval')
    .on('eav_versioned')
    .columns(['updated_at', 'entity_id', 'attribute_id'])
    .where(sql.ref('awaits_approval'), '=', types.true)
    .execute();
  await db.schema
    .createTable('eav_history')
    .addColumn('entity_id', 'text', cascading('entities.id'))
    .addColumn('attribute_id', 'text', cascading('attributes.id'))
    .addColumn('version', types.count, (column) => column.notNull())
    .addColumn('change', 'text', (column) => column.notNull())
    .addColumn('value', types.json)
    .addColumn('justification', 'text')
    .addColumn('confidence', types.real)
    .addColumn('pipeline_version', types.count)
    .addColumn('inputs', types.json)
    .addColumn('run_id', 'text')
    .addColumn('principal', 'text')
    .addColumn('at', types.time, (column) => column.notNull())
    .addPrimaryKeyConstraint('eav_history_pkey', ['entity_id', 'attribute_id', 'version'])
    .modifyEnd(types.tableEnd)
    .execute();
}

async function createRuns(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  let runs: Create = id(db.schema.createTable('pipeline_runs'))
    .addColumn('pipeline_id', 'text', cascading('pipelines.id'))
    .addColumn('pipeline_version', types.count, (column) => column.notNull())
    .addColumn('run_seq', types.count, (column) => column.notNull())
    .addColumn('workflow_id', 'text', (column) => column.notNull())
    .addColumn('triggered_by', 'text', (column) =>
      column.notNull().check(sql`triggered_by in ('schedule', 'entity_save', 'manual')`),
    )
    .addColumn('trigger_reference', 'text')
    .addColumn('principal', 'text')
    .addColumn('status', 'text', (column) =>
      column
        .notNull()
        .check(sql`status in ('waiting', 'running', 'completed', 'failed', 'aborted')`),
    )
    .addColumn('batch_size', types.count, (column) => column.notNull())
    .addColumn('task', types.json, (column) => column.notNull())
    .addColumn('position', 'text')
    .addColumn('step', types.count, (column) => column.notNull().defaultTo(0));
  for (const counter of RUN_COUNTERS)
    runs = runs.addColumn(counter, types.count, (column) => column.notNull().defaultTo(0));
  await runs
    .addColumn('tokens_in', types.count)
    .addColumn('tokens_out', types.count)
    .addColumn('cost', types.real)
    .addColumn('warnings', types.json)
    .addColumn('started_at', types.time, (column) => column.notNull())
    .addColumn('completed_at', types.time)
    .addColumn('error_message', 'text')
    .addColumn('cancelled_by', 'text')
    .addColumn('created_at', types.time, (column) => column.notNull())
    .addUniqueConstraint('pipeline_runs_pipeline_id_run_seq', ['pipeline_id', 'run_seq'])
    .modifyEnd(types.tableEnd)
    .execute();
  // However runs are claimed, a pipeline never has two that are active.
  await db.schema
    .createIndex('pipeline_runs_active')
    .unique()
    .on('pipeline_runs')
    .column('pipeline_id')
    .where(sql.ref('status'), '=', sql.lit('running'))
    .execute();
  await db.schema
    .createIndex('pipeline_runs_created_at')
    .on('pipeline_runs')
    .column('created_at')
    .execute();
  await createRunDetails(db, types);
}

/** What has failed in runs, and what they have used of models. */
async function createRunDetails(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('pipeline_run_failures')
    .addColumn('run_id', 'text', cascading('pipeline_runs.id'))
    .addColumn('entity_id', 'text', cascading('entities.id'))
    .addColumn('module_class', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('at', types.time, (column) => column.notNull())
    .addPrimaryKeyConstraint('pipeline_run_failures_pkey', ['run_id', 'entity_id'])
    .modifyEnd(types.tableEnd)
    .execute();
  await db.schema
    .createTable('pipeline_usage')
    .addColumn('pipeline_id', 'text', cascading('pipelines.id'))
    // Empty for what evals have used.
    .addColumn('run_id', 'text', (column) => column.notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('day', 'text', (column) => column.notNull())
    .addColumn('calls', types.count, (column) => column.notNull())
    .addColumn('tokens_in', types.count, (column) => column.notNull())
    .addColumn('tokens_out', types.count, (column) => column.notNull())
    .addColumn('cost', types.real)
    .addPrimaryKeyConstraint('pipeline_usage_pkey', ['pipeline_id', 'run_id', 'model', 'day'])
    .modifyEnd(types.tableEnd)
    .execute();
}

const RUN_COUNTERS = [
  'entities_processed',
  'entities_failed',
  'entities_skipped',
  'entities_unchanged',
  'batches',
] as const;

async function createEvals(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  const evals: Create = id(db.schema.createTable('pipeline_evals'))
    .addColumn('pipeline_id', 'text', cascading('pipelines.id'))
    .addColumn('entity_id', 'text', cascading('entities.id'))
    .addColumn('input_hash', 'text')
    .addColumn('desired_output', types.json, (column) => column.notNull())
    .addColumn('comparison', types.json, (column) => column.notNull())
    .addColumn('notes', 'text')
    .addColumn('actual_output', types.json)
    .addColumn('justification', 'text')
    .addColumn('confidence', types.real)
    .addColumn('passed', types.flag)
    .addColumn('last_ran_at', types.time);
  await times(lockVersion(evals, types), types)
    .addUniqueConstraint('pipeline_evals_pipeline_id_entity_id', ['pipeline_id', 'entity_id'])
    .modifyEnd(types.tableEnd)
    .execute();
  await db.schema
    .createTable('pipeline_eval_rates')
    .addColumn('pipeline_id', 'text', cascading('pipelines.id'))
    .addColumn('at', types.time, (column) => column.notNull())
    .addColumn('pipeline_version', types.count, (column) => column.notNull())
    .addColumn('evals', types.count, (column) => column.notNull())
    .addColumn('passed', types.count, (column) => column.notNull())
    .addPrimaryKeyConstraint('pipeline_eval_rates_pkey', ['pipeline_id', 'at'])
    .modifyEnd(types.tableEnd)
    .execute();
}
