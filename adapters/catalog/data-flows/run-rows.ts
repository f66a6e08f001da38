import type { ExpressionBuilder, Kysely, Selectable } from 'kysely';
import type { FlowRunRecord, FlowRunStatus } from '../../../src/data-flow/catalog.js';
import { countFields, type RowCounts } from '../../../src/data-flow/row.js';
import type { DataFlowRunsTable, Tables } from '../tables.js';
import { readNullable, readObject, readOptionalTime, readTime } from '../values.js';

/** The statuses of a run that keeps others from being claimed. */
export const ACTIVE = ['pending', 'in_progress'] as const satisfies readonly FlowRunStatus[];

type RunRow = Selectable<DataFlowRunsTable>;

/** A run as it is kept, with the name of its flow. */
export type NamedRunRow = RunRow & { readonly flow: string };

/** The columns of a run's counts. */
export type CountColumns = Pick<
  RunRow,
  | 'rows_read'
  | 'rows_written'
  | 'rows_rejected'
  | 'rows_skipped'
  | 'rows_new'
  | 'rows_updated'
  | 'rows_redundant'
  | 'rows_unpredictable'
  | 'batches'
>;

/** A run as the port tells it. */
export function runRecord(row: NamedRunRow): FlowRunRecord {
  return {
    id: row.id,
    flow: row.flow,
    runSeq: row.run_seq,
    status: row.status,
    trigger: row.trigger,
    workflowId: row.workflow_id,
    createdAt: readTime(row.created_at),
    startedAt: readTime(row.started_at),
    endedAt: readOptionalTime(row.ended_at),
    errorMessage: row.error_message,
    errorBacktrace: row.error_backtrace,
    firstCursor: readNullable(row.first_cursor),
    lastCursor: readNullable(row.last_cursor),
    counts: recordedCounts(row),
    scheduledAt: readOptionalTime(row.scheduled_at),
    plan: row.plan === null ? null : readObject(row.plan),
    principal: row.principal,
  };
}

/** The counts of a run, with rows that were kept as rejected of a batch that has not been counted: maybe it never will be. */
function recordedCounts(row: RunRow): RowCounts {
  const counts = readCounts(row);
  return { ...counts, rejected: Math.max(counts.rejected, row.rejections_kept) };
}

/** The counts of a run where it is. */
export function readCounts(row: CountColumns): RowCounts {
  return {
    read: row.rows_read,
    written: row.rows_written,
    rejected: row.rows_rejected,
    skipped: row.rows_skipped,
    new: row.rows_new,
    updated: row.rows_updated,
    redundant: row.rows_redundant,
    unpredictable: row.rows_unpredictable,
    batches: row.batches,
  };
}

/** The opposite of {@link readCounts}. */
export function writeCounts(counts: RowCounts): CountColumns {
  return countFields(counts);
}

/** Runs with the names of their flows. */
export function selectRuns(db: Kysely<Tables>) {
  return db
    .selectFrom('data_flow_runs')
    .innerJoin('data_flows', 'data_flows.id', 'data_flow_runs.data_flow_id')
    .selectAll('data_flow_runs')
    .select('data_flows.name as flow');
}

/** The active run of a flow. */
export async function activeRun(
  db: Kysely<Tables>,
  flow: string,
): Promise<NamedRunRow | undefined> {
  return selectRuns(db)
    .where('data_flows.name', '=', flow)
    .where('data_flow_runs.status', 'in', ACTIVE)
    .executeTakeFirst();
}

/** True where the run is active. */
export function isActive(row: Pick<RunRow, 'status'>): boolean {
  return ACTIVE.some((status) => status === row.status);
}

/** A condition: the run is the one that is meant. */
export function isRun(flowId: string, runSeq: number) {
  return (where: ExpressionBuilder<Tables, 'data_flow_runs'>) =>
    where.and([
      where('data_flow_runs.data_flow_id', '=', flowId),
      where('data_flow_runs.run_seq', '=', runSeq),
    ]);
}
