import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { z } from 'zod';
import { sqlSink } from '../../../adapters/connector/sql/sql-sink.js';
import type { FlowRunRef } from '../../../src/data-flow/catalog.js';
import { RowsRefused } from '../../../src/data-flow/refusal.js';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSink, type SinkUse } from '../../../src/data-flow/sink.js';
import type { FlowActivities } from '../../support/flow-activities.js';

/** A table that takes neither 3 nor 4, and no number twice. */
export const TABLE = 'CREATE TABLE t (number integer NOT NULL UNIQUE CHECK (number NOT IN (3, 4)))';

/** Makes it in a SQLite database. */
export async function table(dir: string): Promise<void> {
  const db = new Sqlite(join(dir, 'out.db'));
  db.exec(TABLE);
  db.close();
}

/** What it has. */
export function numbersIn(dir: string): readonly unknown[] {
  const db = new Sqlite(join(dir, 'out.db'));
  const numbers = db.prepare('SELECT number FROM t ORDER BY number').pluck().all();
  db.close();
  return numbers;
}

/** Without a key: a row that came twice would be refused. */
export const intoTable = (dir: string): SinkUse =>
  sqlSink({ database: `sqlite:${join(dir, 'out.db')}`, table: 't' });

/** A sink without a position that refuses rows whose number is one of some. */
export function refusing(
  bad: readonly unknown[],
  keys: string[] = [],
  written: Row[] = [],
): SinkUse {
  const sink = defineSink({
    name: 'refusing',
    options: z.strictObject({}),
    open: () => ({
      write: async ({ rows, idempotencyKey }) => {
        keys.push(idempotencyKey);
        const refused = rows.flatMap(({ number }, at) =>
          bad.includes(number) ? [{ at, reason: `not ${String(number)}` }] : [],
        );
        if (refused.length > 0) throw new RowsRefused(refused);
        written.push(...rows);
        return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
      },
    }),
  });
  return sink({});
}

/** What of the rejected rows of a run is kept. */
export async function rejections(flow: FlowActivities, run: FlowRunRef) {
  const kept = await flow.catalog.rejections(run, { limit: 1_000 });
  return kept.map(({ rowNumber, phase, row }) => [rowNumber, phase, row]);
}
