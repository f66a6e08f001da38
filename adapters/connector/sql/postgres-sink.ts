import type { Client } from 'pg';
import { FenceLost, type FlowPosition } from '../../../src/data-flow/position.js';
import type { OpenSink } from '../../../src/data-flow/sink.js';
import {
  CREATE_POSITIONS,
  positionThatCounts,
  type PositionOwner,
  type StoredPosition,
} from './kept-position.js';
import { connectPostgres } from './postgres.js';
import { createOnce, PostgresTable } from './postgres-table.js';
import { sqlError } from './sql-error.js';
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
  try {
    if (positions !== undefined) await createOnce(client, CREATE_POSITIONS);
  } catch (error) {
    await close();
    throw sqlError(error, 'Cannot create table millrace_positions');
  }
  return {
    write: ({ rows, step, next }) =>
      run(async () => {
        await table.prepare(rows);
        return transaction(client, async () => {
          await positions?.lockAt(step);
          const written = await table.write(rows);
          await positions?.move(step, next(written));
          return { written };
        });
      }),
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

const MINE = 'WHERE flow = $1 AND sink = $2';

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
    const { flow, sink, runSeq } = this.#owner;
    const { rowCount } = await this.#client.query(
      `SELECT 1 FROM millrace_positions ${MINE} AND run_seq = $3 AND step = $4 FOR UPDATE`,
      [flow, sink, runSeq, step],
    );
    if (rowCount === 0) throw new FenceLost(flow, runSeq);
  }

  async move(step: number, to: FlowPosition): Promise<void> {
    const { flow, sink, runSeq } = this.#owner;
    const { rowCount } = await this.#client.query(
      `UPDATE millrace_positions SET step = $5, position = $6, updated_at = now()
       ${MINE} AND run_seq = $3 AND step = $4`,
      [flow, sink, runSeq, step, to.step, JSON.stringify(to)],
    );
    if (rowCount === 0) throw new FenceLost(flow, runSeq);
  }

  async takeOver(known: FlowPosition): Promise<FlowPosition> {
    const { flow, sink, runSeq } = this.#owner;
    // Whoever comes second waits here for the first, and then finds its row.
    const inserted = await this.#client.query(
      `INSERT INTO millrace_positions VALUES ($1, $2, $3, $4, $5, now()) ON CONFLICT DO NOTHING`,
      [flow, sink, runSeq, known.step, JSON.stringify({ ...known, runSeq })],
    );
    if (inserted.rowCount === 1) return positionThatCounts(this.#owner, known, undefined);
    const { rows } = await this.#client.query<StoredPosition>(
      `SELECT run_seq, step, position FROM millrace_positions ${MINE} FOR UPDATE`,
      [flow, sink],
    );
    const position = positionThatCounts(this.#owner, known, rows[0]);
    await this.#client.query(
      `UPDATE millrace_positions SET run_seq = $3, step = $4, position = $5, updated_at = now() ${MINE}`,
      [flow, sink, runSeq, position.step, JSON.stringify(position)],
    );
    return position;
  }
}
