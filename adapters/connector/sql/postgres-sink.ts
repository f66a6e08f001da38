import type { Client } from 'pg';
import { FenceLost, type FlowPosition } from '../../../src/data-flow/position.js';
import type { OpenSink, SinkBatch, SinkReceipt } from '../../../src/data-flow/sink.js';
import {
  ADD_FLOW_ID,
  CREATE_POSITIONS,
  positionThatCounts,
  type PositionOwner,
  type StoredPosition,
} from './kept-position.js';
import { connectPostgres } from './postgres.js';
import { refuseRows } from './postgres-refusals.js';
import { createOnce, PostgresTable } from './postgres-table.js';
import { rowFault, sqlError } from './sql-error.js';
import type { SqlSinkOptions } from './sql-sink-options.js';
import { sqlNames } from './sql-text.js';

/** Opens a table of PostgreSQL as a sink. Each batch is one transaction. */
export async function openPostgresSink(
  url: string,
  options: SqlSinkOptions,
  owner: PositionOwner,
  signal: AbortSignal,
): Promise<OpenSink> {
  const names = await sqlNames();
  const { client, close } = await connectPostgres(url, signal);
  const run = async <T>(body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (error) {
      // Aborting has ended the connection, which is no error of its own.
      signal.throwIfAborted();
      throw sqlError(error, `Cannot write to table ${options.table}`);
    }
  };
  const table = new PostgresTable(client, options, names);
  const positions = options.keepPosition ? new PostgresPositions(client, owner) : undefined;
  const move = async ({ rows, step, next }: SinkBatch): Promise<SinkReceipt> => {
    const prepared = await table.prepare(rows);
    return transaction(client, async () => {
      await positions?.lockAt(step);
      const written = await table.write(prepared);
      await positions?.move(step, next(written));
      return { written };
    });
  };
  const write = async (batch: SinkBatch): Promise<SinkReceipt> => {
    try {
      return await move(batch);
    } catch (error) {
      if (rowFault(error) === undefined) throw error;
      await transaction(client, async () => {
        await positions?.lockAt(batch.step);
        await refuseRows(client, table, batch);
      });
      // Each of them can be written now, though not all at once: whatever it was, it has passed or is no row's fault.
      throw error;
    }
  };
  try {
    if (positions !== undefined) await createPositions(client);
  } catch (error) {
    await close();
    throw sqlError(error, 'Cannot create table millrace_positions');
  }
  return {
    write: (batch) => run(() => write(batch)),
    ...(positions !== undefined && {
      takeOver: (known: FlowPosition) =>
        run(() => transaction(client, () => positions.takeOver(known))),
    }),
    close,
  };
}

async function transaction<T>(client: Client, body: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await body();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // On a broken connection there is nothing to roll back.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function createPositions(client: Client): Promise<void> {
  await createOnce(client, CREATE_POSITIONS);
  const { rowCount } = await client.query(
    `SELECT 1 FROM pg_attribute WHERE attrelid = 'millrace_positions'::regclass
     AND attname = 'flow_id' AND NOT attisdropped`,
  );
  // Altering a table waits for everybody who uses it, so that it is done only once.
  if (rowCount === 0) await createOnce(client, ADD_FLOW_ID);
}

const MINE = 'WHERE flow = $1 AND sink = $2';
const FENCE = `${MINE} AND run_seq = $3 AND step = $4 AND flow_id = $5`;

/** The position of one flow, beside the rows that it has written. */
class PostgresPositions {
  readonly #client: Client;
  readonly #owner: PositionOwner;

  constructor(client: Client, owner: PositionOwner) {
    this.#client = client;
    this.#owner = owner;
  }

  /** Lets nobody else move the flow until the transaction ends. */
  async lockAt(step: number): Promise<void> {
    const { flow, sink, flowId, runSeq } = this.#owner;
    const { rowCount } = await this.#client.query(
      `SELECT 1 FROM millrace_positions ${FENCE} FOR UPDATE`,
      [flow, sink, runSeq, step, flowId],
    );
    if (rowCount === 0) throw new FenceLost(flow, runSeq);
  }

  async move(step: number, to: FlowPosition): Promise<void> {
    const { flow, sink, flowId, runSeq } = this.#owner;
    const { rowCount } = await this.#client.query(
      `UPDATE millrace_positions SET step = $6, position = $7, updated_at = now() ${FENCE}`,
      [flow, sink, runSeq, step, flowId, to.step, JSON.stringify(to)],
    );
    if (rowCount === 0) throw new FenceLost(flow, runSeq);
  }

  async takeOver(known: FlowPosition): Promise<FlowPosition> {
    const { flow, sink, flowId, runSeq } = this.#owner;
    // Whoever comes second waits here for the first, and then finds its row.
    const inserted = await this.#client.query(
      `INSERT INTO millrace_positions (flow, sink, flow_id, run_seq, step, position, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, now()) ON CONFLICT DO NOTHING`,
      [flow, sink, flowId, runSeq, known.step, JSON.stringify({ ...known, runSeq })],
    );
    if (inserted.rowCount === 1) return positionThatCounts(this.#owner, known, undefined);
    const { rows } = await this.#client.query<StoredPosition>(
      `SELECT flow_id, run_seq, step, position FROM millrace_positions ${MINE} FOR UPDATE`,
      [flow, sink],
    );
    const position = positionThatCounts(this.#owner, known, rows[0]);
    await this.#client.query(
      `UPDATE millrace_positions
       SET flow_id = $3, run_seq = $4, step = $5, position = $6, updated_at = now() ${MINE}`,
      [flow, sink, flowId, runSeq, position.step, JSON.stringify(position)],
    );
    return position;
  }
}
