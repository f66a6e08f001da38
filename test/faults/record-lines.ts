import { z } from 'zod';
import { defineStore, record } from '../../adapters/record-store/index.js';

const line = { n: z.number().int(), text: z.string() };

/** Lines of text: enough of them, and whatever is done with their store takes its time. */
export function linesIn(dir: string) {
  return defineStore({
    dir,
    versions: { keep: 8, afterTransactions: false },
    records: { line: record({ table: 'lines', columns: line }) },
  });
}

/** The same store as later code has it: each line has a length, and an index of its own. */
export function migratedLinesIn(dir: string, afterTransactions = false) {
  return defineStore({
    dir,
    versions: { keep: 8, afterTransactions },
    records: {
      line: record({
        table: 'lines',
        columns: { ...line, length: z.number().int().default(0) },
      }),
    },
    migrations: {
      'add length': { addColumns: { line: ['length'] } },
      'measure lines': {
        sql: [
          'create table measured (id integer primary key)',
          'insert into measured select id from lines',
          'update lines set length = length(text)',
          'create index lines_by_text on lines (text)',
        ],
      },
    },
  });
}

export type LineStore = ReturnType<typeof linesIn>;

/** Has a store hold so many lines, all of one kind. */
export async function fill(store: LineStore, kind: string, count: number): Promise<void> {
  await store.transaction(() => {
    for (const old of store.line) old.delete();
    for (let n = 1; n <= count; n += 1)
      store.line.create({ n, text: `${kind} ${String(n)} ${'x'.repeat(400)}` });
  });
}
