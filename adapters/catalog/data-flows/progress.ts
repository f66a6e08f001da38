import type { Transaction } from 'kysely';
import type { DataFlowCatalog, FlowRunEnding, FlowRunRef } from '../../../src/data-flow/catalog.js';
import type { FlowPosition } from '../../../src/data-flow/position.js';
import type { JsonObject } from '../../../src/definition/json.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { plainText, readNullable, writeJson, writeNullable } from '../values.js';
import { lockFlow, type FlowRow } from './flow-rows.js';
import { insertRejections } from './rejections.js';
import { ACTIVE, isActive, isRun, readCounts, writeCounts, type CountColumns } from './run-rows.js';

type Move = Parameters<DataFlowCatalog['advance']>[1];

/** The part of the port that a run writes: its beginning, each of its batches, its end. */
export function flowProgress(
  database: CatalogDatabase,
): Pick<DataFlowCatalog, 'begin' | 'position' | 'advance' | 'end'> {
  return {
    begin: (ref, begun) => begin(database, ref, begun),
    position: (ref) => position(database, ref),
    advance: (ref, move) => advance(database, ref, move),
    end: (ref, ending) => end(database, ref, ending),
  };
}

async function begin(
  database: CatalogDatabase,
  ref: FlowRunRef,
  { plan, now }: { readonly plan: JsonObject; readonly now: Date },
): Promise<FlowPosition | undefined> {
  return database.write(async (transaction) => {
    const flow = await lockFlow(database, transaction, ref.flow);
    if (flow === undefined) return undefined;
    const run = await transaction
      .selectFrom('data_flow_runs')
      .selectAll()
      .where(isRun(flow.id, ref.runSeq))
      .executeTakeFirst();
    if (run === undefined || !isActive(run)) return undefined;
    if (run.status === 'pending') {
      await transaction
        .updateTable('data_flow_runs')
        .set({
          status: 'in_progress',
          started_at: now,
          plan: writeJson(plan),
          first_cursor: flow.cursor,
          updated_at: now,
        })
        .where('id', '=', run.id)
        .execute();
    }
    return flowPosition({ ...flow, ...run });
  });
}

async function position(
  database: CatalogDatabase,
  ref: FlowRunRef,
): Promise<FlowPosition | undefined> {
  const row = await database.read((db) =>
    db
      .selectFrom('data_flow_runs')
      .innerJoin('data_flows', 'data_flows.id', 'data_flow_runs.data_flow_id')
      .selectAll('data_flow_runs')
      .select(['cursor', 'cursor_run_seq', 'cursor_step', 'sink_state'])
      .where('data_flows.name', '=', plainText(ref.flow))
      .where('data_flow_runs.run_seq', '=', ref.runSeq)
      .where('data_flow_runs.status', '=', 'in_progress')
      .executeTakeFirst(),
  );
  return row && flowPosition(row);
}

function flowPosition(
  row: Pick<FlowRow, 'cursor' | 'cursor_run_seq' | 'cursor_step' | 'sink_state'> & CountColumns,
): FlowPosition {
  return {
    runSeq: row.cursor_run_seq,
    step: row.cursor_step,
    cursor: readNullable(row.cursor),
    sinkState: readNullable(row.sink_state),
    counts: readCounts(row),
  };
}

/** Undoes a transaction that has found its run over. Never leaves this file. */
class RunIsOver extends Error {}

async function advance(database: CatalogDatabase, ref: FlowRunRef, move: Move): Promise<boolean> {
  try {
    return await database.write(async (transaction) => {
      const flowId = await moveFlow(transaction, ref, move);
      if (flowId === undefined) return false;
      const runId = await countRun(transaction, flowId, ref, move);
      await insertRejections(transaction, runId, move.rejections, move.now);
      return true;
    });
  } catch (error) {
    if (error instanceof RunIsOver) return false;
    throw error;
  }
}

/** The fence: moves the flow only from where it must be. Locks it too, so that the run cannot end meanwhile. */
async function moveFlow(
  transaction: Transaction<Tables>,
  ref: FlowRunRef,
  { from, to, now }: Move,
): Promise<string | undefined> {
  const moved = await transaction
    .updateTable('data_flows')
    .set({
      cursor: writeNullable(to.cursor),
      cursor_run_seq: to.runSeq,
      cursor_step: to.step,
      sink_state: writeNullable(to.sinkState),
      updated_at: now,
    })
    .where('name', '=', plainText(ref.flow))
    .where('last_run_seq', '=', ref.runSeq)
    .where((flow) =>
      from === undefined ? flow('cursor_step', '<', to.step) : flow('cursor_step', '=', from),
    )
    .returning('id')
    .executeTakeFirst();
  return moved?.id;
}

/**
 * The run's status is looked at here and not together with the flow: PostgreSQL looks at other tables as they were before it
 * waited for a lock.
 *
 * @throws {@link RunIsOver}
 */
async function countRun(
  transaction: Transaction<Tables>,
  flowId: string,
  ref: FlowRunRef,
  { to, now }: Move,
): Promise<string> {
  const run = await transaction
    .updateTable('data_flow_runs')
    .set({ ...writeCounts(to.counts), last_cursor: writeNullable(to.cursor), updated_at: now })
    .where(isRun(flowId, ref.runSeq))
    .where('status', '=', 'in_progress')
    .returning('id')
    .executeTakeFirst();
  if (run === undefined) throw new RunIsOver();
  return run.id;
}

async function end(
  database: CatalogDatabase,
  ref: FlowRunRef,
  { status, now, errorMessage, errorBacktrace }: FlowRunEnding,
): Promise<boolean> {
  return database.write(async (transaction) => {
    const flow = await lockFlow(database, transaction, ref.flow);
    if (flow === undefined) return false;
    const run = await transaction
      .updateTable('data_flow_runs')
      .set({
        status,
        ended_at: now,
        error_message: errorMessage === undefined ? null : plainText(errorMessage),
        error_backtrace: errorBacktrace === undefined ? null : plainText(errorBacktrace),
        updated_at: now,
      })
      .where(isRun(flow.id, ref.runSeq))
      .where('status', 'in', ACTIVE)
      .returning('started_at')
      .executeTakeFirst();
    if (run === undefined) return false;
    await transaction
      .updateTable('data_flows')
      .set({
        // When it began and not when it ended: intervals would grow by the length of the runs.
        last_run_at: new Date(run.started_at),
        last_run_status: status,
        updated_at: now,
      })
      .where('id', '=', flow.id)
      .execute();
    return true;
  });
}
