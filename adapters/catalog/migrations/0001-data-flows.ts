import { sql, type Kysely } from 'kysely';
import type { ColumnTypes } from './column-types.js';

/** Tables for data flows: seed 001, tasks 3.1 and 3.2, and what cursors, claims and rejections need. */
export async function createDataFlows(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await createFlows(db, types);
  await createRuns(db, types);
  await createRejections(db, types);
}

async function createFlows(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('data_flows')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('enabled', types.flag, (column) => column.notNull())
    .addColumn('note', 'text')
    .addColumn('configuration', types.json, (column) => column.notNull())
    .addColumn('run_interval', 'integer', (column) => column.check(sql`run_interval > 0`))
    .addColumn('heartbeat', types.flag, (column) => column.notNull())
    .addColumn('declared', types.json, (column) => column.notNull())
    .addColumn('last_run_at', types.time)
    .addColumn('last_run_status', 'text', (column) =>
      column.check(sql`last_run_status in ('success', 'failed', 'cancelled')`),
    )
    .addColumn('last_run_seq', types.count, (column) => column.notNull().defaultTo(0))
    // Text in both databases: sources get their cursors back as they gave them.
    .addColumn('cursor', 'text')
    .addColumn('cursor_run_seq', types.count, (column) => column.notNull().defaultTo(0))
    .addColumn('cursor_step', types.count, (column) => column.notNull().defaultTo(0))
    .addColumn('sink_state', 'text')
    .addColumn('backfills', types.json, (column) => column.notNull())
    .addColumn('seen_at', types.time, (column) => column.notNull())
    .addColumn('created_at', types.time, (column) => column.notNull())
    .addColumn('updated_at', types.time, (column) => column.notNull())
    .modifyEnd(types.tableEnd)
    .execute();
  await db.schema.createIndex('data_flows_name').unique().on('data_flows').column('name').execute();
  await db.schema
    .createIndex('data_flows_enabled_last_run_at')
    .on('data_flows')
    .columns(['enabled', 'last_run_at'])
    .execute();
}

async function createRuns(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  let table = db.schema
    .createTable('data_flow_runs')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('data_flow_id', 'text', (column) =>
      column.notNull().references('data_flows.id').onDelete('cascade'),
    )
    .addColumn('run_seq', types.count, (column) => column.notNull())
    .addColumn('status', 'text', (column) =>
      column
        .notNull()
        .check(sql`status in ('pending', 'in_progress', 'success', 'failed', 'cancelled')`),
    )
    .addColumn('trigger', 'text', (column) => column.notNull())
    .addColumn('workflow_id', 'text', (column) => column.notNull())
    .addColumn('started_at', types.time, (column) => column.notNull())
    .addColumn('ended_at', types.time)
    .addColumn('error_message', 'text')
    .addColumn('error_backtrace', 'text')
    .addColumn('first_cursor', 'text')
    .addColumn('last_cursor', 'text')
    .addColumn('scheduled_at', types.time)
    .addColumn('plan', types.json)
    .addColumn('principal', 'text')
    .addColumn('after_runs', types.json)
    .addColumn('rejections_kept', types.count, (column) => column.notNull().defaultTo(0))
    .addColumn('created_at', types.time, (column) => column.notNull())
    .addColumn('updated_at', types.time, (column) => column.notNull());
  for (const counter of RUN_COUNTERS) {
    table = table.addColumn(counter, types.count, (column) => column.notNull().defaultTo(0));
  }
  await table.modifyEnd(types.tableEnd).execute();
  await indexRuns(db);
}

const RUN_COUNTERS = [
  'rows_read',
  'rows_written',
  'rows_rejected',
  'rows_skipped',
  'rows_new',
  'rows_updated',
  'rows_redundant',
  'rows_unpredictable',
  'batches',
] as const;

async function indexRuns(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('data_flow_runs_data_flow_id')
    .on('data_flow_runs')
    .column('data_flow_id')
    .execute();
  await db.schema
    .createIndex('data_flow_runs_data_flow_id_created_at')
    .on('data_flow_runs')
    .columns(['data_flow_id', 'created_at'])
    .execute();
  await db.schema
    .createIndex('data_flow_runs_data_flow_id_run_seq')
    .unique()
    .on('data_flow_runs')
    .columns(['data_flow_id', 'run_seq'])
    .execute();
  await db.schema
    .createIndex('data_flow_runs_created_at')
    .on('data_flow_runs')
    .column('created_at')
    .execute();
  // However runs are claimed, a flow never has two that are active.
  await db.schema
    .createIndex('data_flow_runs_active')
    .unique()
    .on('data_flow_runs')
    .column('data_flow_id')
    .where(sql.ref('status'), 'in', sql`('pending', 'in_progress')`)
    .execute();
}

async function createRejections(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('data_flow_rejections')
    .addColumn('run_id', 'text', (column) =>
      column.notNull().references('data_flow_runs.id').onDelete('cascade'),
    )
    .addColumn('row_number', types.count, (column) => column.notNull())
    .addColumn('phase', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('row', types.json, (column) => column.notNull())
    .addColumn('created_at', types.time, (column) => column.notNull())
    .addPrimaryKeyConstraint('data_flow_rejections_pkey', ['run_id', 'row_number'])
    .modifyEnd(types.tableEnd)
    .execute();
}
