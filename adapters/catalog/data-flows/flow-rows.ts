import type { Selectable, Transaction } from 'kysely';
import type { BackfillRange, FlowRecord } from '../../../src/data-flow/catalog.js';
import type { CatalogDatabase } from '../database.js';
import type { DataFlowsTable, Tables } from '../tables.js';
import {
  plainText,
  readFlag,
  readObject,
  readNullable,
  readOptionalTime,
  readTime,
} from '../values.js';

/** A flow as it is kept. */
export type FlowRow = Selectable<DataFlowsTable>;

/** A flow as the port tells it. */
export function flowRecord(row: FlowRow): FlowRecord {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    enabled: readFlag(row.enabled),
    note: row.note,
    runInterval: row.run_interval,
    configuration: readObject(row.configuration),
    heartbeat: readFlag(row.heartbeat),
    lastRunAt: readOptionalTime(row.last_run_at),
    lastRunStatus: row.last_run_status,
    cursor: readNullable(row.cursor),
    lastRunSeq: row.last_run_seq,
    seenAt: readTime(row.seen_at),
    backfills: readBackfills(row),
    createdAt: readTime(row.created_at),
    updatedAt: readTime(row.updated_at),
  };
}

/** The ranges that are to be run again. */
export function readBackfills(row: Pick<FlowRow, 'backfills'>): readonly BackfillRange[] {
  // Only addBackfill writes the column; a range is JSON, which the type does not say.
  return JSON.parse(row.backfills) as readonly BackfillRange[];
}

/** True when the flow has never run, or its interval has passed since it last did. */
export function isDue(row: Pick<FlowRow, 'last_run_at' | 'run_interval'>, now: Date): boolean {
  const lastRunAt = readOptionalTime(row.last_run_at);
  if (lastRunAt === null) return true;
  return (
    row.run_interval !== null && lastRunAt.getTime() + row.run_interval * 1_000 <= now.getTime()
  );
}

/**
 * Finds a flow and keeps everybody else from changing it or its runs until the transaction ends. Whoever writes begins with
 * this, so that nobody waits for each other in a circle.
 */
export async function lockFlow(
  { locksRows }: CatalogDatabase,
  transaction: Transaction<Tables>,
  name: string,
): Promise<FlowRow | undefined> {
  return transaction
    .selectFrom('data_flows')
    .selectAll()
    .where('name', '=', plainText(name))
    .$if(locksRows, (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
}
