import type { Client } from 'pg';
import { RowsRefused } from '../../../src/data-flow/refusal.js';
import type { SinkBatch } from '../../../src/data-flow/sink.js';
import type { PostgresTable } from './postgres-table.js';
import { rowFault, type RowFault } from './sql-error.js';

/** SQLSTATE of a row that refers to one which is not there: it may come later. */
const FOREIGN_KEY = '23503';

/**
 * Finds the rows of a batch that PostgreSQL refuses, in a transaction of the caller. It writes the rows in halves, and halves of those
 * that are refused, down to the single row: what was written stays meanwhile, so that rows are found that only contradict each
 * other. One row among n takes some log n attempts, n of n rows 2 n; each is two statements.
 *
 * @throws {@link RowsRefused} with those rows; what was written is for the caller to undo. Returns where there are none
 */
export async function refuseRows(
  client: Client,
  table: PostgresTable,
  batch: SinkBatch,
): Promise<void> {
  const faults = await new FaultSearch(client, table, batch).all();
  if (faults.size === 0) return;
  throw new RowsRefused([...faults].map(([at, { reason }]) => ({ at, reason })));
}

class FaultSearch {
  readonly #client: Client;
  readonly #table: PostgresTable;
  readonly #batch: SinkBatch;
  /** By the places of the rows. */
  readonly #faults = new Map<number, RowFault>();
  /** Rows that have failed for good: more than are of use to anybody end the search. */
  #final = 0;

  constructor(client: Client, table: PostgresTable, batch: SinkBatch) {
    this.#client = client;
    this.#table = table;
    this.#batch = batch;
  }

  async all(): Promise<ReadonlyMap<number, RowFault>> {
    // What is deferred to the end of the transaction would be found out there, of all rows at once.
    await this.#client.query('SET CONSTRAINTS ALL IMMEDIATE; SAVEPOINT millrace_rows');
    const places = [...this.#batch.rows.keys()];
    await this.#search(places, { isFaulty: true, isLastChance: false });
    const referring = places.filter((at) => this.#faults.get(at)?.code === FOREIGN_KEY);
    for (const at of referring) this.#faults.delete(at);
    // Once more, from behind: rows that one statement takes may refer to others that come after them.
    await this.#search(referring.reverse(), { isFaulty: false, isLastChance: true });
    return this.#faults;
  }

  /** @param isFaulty - whether some of the rows are known to be at fault */
  async #search(
    places: readonly number[],
    { isFaulty, isLastChance }: { readonly isFaulty: boolean; readonly isLastChance: boolean },
  ): Promise<void> {
    const [first] = places;
    if (first === undefined || this.#final > this.#batch.refusalsLeft) return;
    if (!isFaulty || places.length === 1) {
      const fault = await this.#write(places);
      if (fault === undefined) return;
      if (places.length === 1) {
        this.#faults.set(first, fault);
        if (isLastChance || fault.code !== FOREIGN_KEY) this.#final += 1;
        return;
      }
    }
    const middle = Math.floor(places.length / 2);
    const before = this.#faults.size;
    await this.#search(places.slice(0, middle), { isFaulty: false, isLastChance });
    // Where nothing is wrong with the first half, it is with the second.
    const isSecond = this.#faults.size === before;
    await this.#search(places.slice(middle), { isFaulty: isSecond, isLastChance });
  }

  async #write(places: readonly number[]): Promise<RowFault | undefined> {
    const { rows } = this.#batch;
    try {
      await this.#table.writeSome(places.map((at) => rows[at] ?? {}));
    } catch (error) {
      const fault = rowFault(error);
      if (fault === undefined) throw error;
      await this.#client.query('ROLLBACK TO SAVEPOINT millrace_rows');
      return fault;
    }
    await this.#client.query('RELEASE SAVEPOINT millrace_rows; SAVEPOINT millrace_rows');
    return undefined;
  }
}
