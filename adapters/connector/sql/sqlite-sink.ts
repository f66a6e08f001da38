import { FenceLost, type FlowPosition } from '../../../src/data-flow/position.js';
import type { Written } from '../../../src/data-flow/row.js';
import type { OpenSink, SinkBatch, SinkReceipt } from '../../../src/data-flow/sink.js';
import {
  ADD_FLOW_ID,
  CREATE_POSITIONS,
  positionThatCounts,
  type PositionOwner,
  type StoredPosition,
} from './kept-position.js';
import { rowFault, sqlError } from './sql-error.js';
import type { SqlSinkOptions } from './sql-sink-options.js';
import { sqlNames } from './sql-text.js';
import {
  openSqliteForWriting,
  transaction,
  type SqliteDatabase,
  type SqliteStatement,
} from './sqlite.js';
import { SqliteTable } from './sqlite-table.js';

/** Opens a table of SQLite as a sink. Each batch is one transaction. */
export async function openSqliteSink(
  path: string,
  options: SqlSinkOptions,
  owner: PositionOwner,
): Promise<OpenSink> {
  const names = await sqlNames();
  const db = await openSqliteForWriting(path, !options.keepPosition);
  const run = async <T>(body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (error) {
      throw sqlError(error, `Cannot write to table ${options.table} of ${path}`);
    }
  };
  try {
    const positions = options.keepPosition ? new SqlitePositions(db, owner) : undefined;
    const table = new SqliteTable(db, options, names);
    const move = ({ step, next }: SinkBatch, write: () => Written): Promise<SinkReceipt> =>
      transaction(db, () => {
        positions?.assertAt(step);
        const written = write();
        positions?.move(step, next(written));
        return { written };
      });
    const write = async (batch: SinkBatch): Promise<SinkReceipt> => {
      try {
        return await move(batch, () => table.write(batch.rows));
      } catch (error) {
        if (rowFault(error) === undefined) throw error;
      }
      return move(batch, () => table.writeEach(batch.rows, batch.refusalsLeft));
    };
    return {
      write: (batch) => run(() => write(batch)),
      ...(positions !== undefined && {
        takeOver: (known: FlowPosition) =>
          run(() => transaction(db, () => positions.takeOver(known))),
      }),
      close: async () => {
        db.close();
      },
    };
  } catch (error) {
    db.close();
    throw sqlError(error, `Cannot open ${path}`);
  }
}

/** The position of one flow, beside the rows that it has written. */
class SqlitePositions {
  readonly #owner: PositionOwner;
  readonly #at: SqliteStatement;
  readonly #stored: SqliteStatement;
  readonly #move: SqliteStatement;
  readonly #store: SqliteStatement;

  constructor(db: SqliteDatabase, owner: PositionOwner) {
    createPositions(db);
    this.#owner = owner;
    const mine = 'WHERE flow = ? AND sink = ?';
    const fence = `${mine} AND flow_id = ? AND run_seq = ? AND step = ?`;
    this.#at = db.prepare(`SELECT 1 FROM millrace_positions ${fence}`);
    this.#stored = db.prepare(
      `SELECT flow_id, run_seq, step, position FROM millrace_positions ${mine}`,
    );
    this.#move = db.prepare(
      `UPDATE millrace_positions SET step = ?, position = ?, updated_at = ? ${fence}`,
    );
    this.#store = db.prepare(
      `INSERT OR REPLACE INTO millrace_positions
       (flow, sink, flow_id, run_seq, step, position, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  assertAt(step: number): void {
    const { flow, sink, flowId, runSeq } = this.#owner;
    if (this.#at.get(flow, sink, flowId, runSeq, step) === undefined)
      throw new FenceLost(flow, runSeq);
  }

  move(step: number, to: FlowPosition): void {
    const { flow, sink, flowId, runSeq } = this.#owner;
    const text = JSON.stringify(to);
    const { changes } = this.#move.run(to.step, text, now(), flow, sink, flowId, runSeq, step);
    if (changes === 0) throw new FenceLost(flow, runSeq);
  }

  takeOver(known: FlowPosition): FlowPosition {
    const { flow, sink, flowId, runSeq } = this.#owner;
    const stored = this.#stored.get(flow, sink) as StoredPosition | undefined;
    const position = positionThatCounts(this.#owner, known, stored);
    const text = JSON.stringify(position);
    this.#store.run(flow, sink, flowId, runSeq, position.step, text, now());
    return position;
  }
}

function createPositions(db: SqliteDatabase): void {
  db.exec(CREATE_POSITIONS);
  const isOld = (): boolean =>
    db
      .prepare("SELECT 1 FROM pragma_table_info('millrace_positions') WHERE name = 'flow_id'")
      .get() === undefined;
  if (!isOld()) return;
  // Another worker may be adding it as well.
  db.transaction(() => {
    if (isOld()) db.exec(ADD_FLOW_ID);
  }).immediate();
}

function now(): string {
  return new Date().toISOString();
}
