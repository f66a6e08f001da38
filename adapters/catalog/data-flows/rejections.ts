import type { Transaction } from 'kysely';
import type {
  DataFlowCatalog,
  FlowRunRef,
  RejectionRecord,
} from '../../../src/data-flow/catalog.js';
import type { Rejection } from '../../../src/data-flow/row.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { plainText, readJson, readTime, writeJson } from '../values.js';
import { lockFlow } from './flow-rows.js';
import { isRun } from './run-rows.js';

/** Most rows of one statement: PostgreSQL takes 65,535 parameters, SQLite half of them. */
const ROWS_PER_INSERT = 500;

/** The part of the port about rows that were rejected. */
export function flowRejections(
  database: CatalogDatabase,
): Pick<DataFlowCatalog, 'keepRejections' | 'rejections'> {
  return {
    keepRejections: (ref, rejections, now) => keepRejections(database, ref, rejections, now),
    rejections: (ref, page) => listRejections(database, ref, page),
  };
}

/** Keeps rows, and counts them; those whose number is there already stay as they are. */
export async function insertRejections(
  db: Transaction<Tables>,
  runId: string,
  rejections: readonly Rejection[],
  now: Date,
): Promise<void> {
  let kept = 0;
  for (let start = 0; start < rejections.length; start += ROWS_PER_INSERT) {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('data_flow_rejections')
      .values(
        rejections.slice(start, start + ROWS_PER_INSERT).map((rejection) => ({
          run_id: runId,
          row_number: rejection.rowNumber,
          phase: rejection.phase,
          reason: plainText(rejection.reason),
          row: writeJson(rejection.row),
          created_at: now,
        })),
      )
      .onConflict((conflict) => conflict.columns(['run_id', 'row_number']).doNothing())
      .executeTakeFirst();
    kept += Number(numInsertedOrUpdatedRows ?? 0);
  }
  if (kept === 0) return;
  // Not in rows_rejected: the next attempt of a batch goes on counting from there, and rejects its rows once more.
  await db
    .updateTable('data_flow_runs')
    .set((run) => ({ rejections_kept: run('rejections_kept', '+', kept) }))
    .where('id', '=', runId)
    .execute();
}

/** Only while the run is in progress: of another attempt that still goes on after its end, nothing counts. */
async function keepRejections(
  database: CatalogDatabase,
  ref: FlowRunRef,
  rejections: readonly Rejection[],
  now: Date,
): Promise<void> {
  if (rejections.length === 0) return;
  await database.write(async (transaction) => {
    const flow = await lockFlow(database, transaction, ref.flow);
    if (flow === undefined) return;
    const run = await transaction
      .selectFrom('data_flow_runs')
      .select('id')
      .where(isRun(flow.id, ref.runSeq))
      .where('status', '=', 'in_progress')
      .executeTakeFirst();
    if (run !== undefined) await insertRejections(transaction, run.id, rejections, now);
  });
}

async function listRejections(
  database: CatalogDatabase,
  ref: FlowRunRef,
  { limit, after = 0 }: { readonly limit: number; readonly after?: number },
): Promise<readonly RejectionRecord[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom('data_flow_rejections')
      .innerJoin('data_flow_runs', 'data_flow_runs.id', 'data_flow_rejections.run_id')
      .innerJoin('data_flows', 'data_flows.id', 'data_flow_runs.data_flow_id')
      .selectAll('data_flow_rejections')
      .where('data_flows.name', '=', plainText(ref.flow))
      .where('data_flow_runs.run_seq', '=', ref.runSeq)
      .where('data_flow_rejections.row_number', '>', after)
      .orderBy('data_flow_rejections.row_number')
      .limit(limit)
      .execute(),
  );
  return rows.map((row) => ({
    rowNumber: row.row_number,
    phase: row.phase,
    reason: row.reason,
    row: readJson(row.row),
    createdAt: readTime(row.created_at),
  }));
}
