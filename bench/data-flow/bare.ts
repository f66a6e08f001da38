/** Hand-written code without Temporal, a cursor or a record of anything: what the work itself takes. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { parse } from 'csv-parse';
import { ORDERS_SQL, orderOf, type Order, type OrderText } from './orders.js';
import { answerParent } from '../measured-process.js';
import type { VariantResult, VariantTask } from './variant.js';

const BATCH = 200;

await answerParent(async ({ file, dir }: VariantTask): Promise<VariantResult> => {
  const database = new Database(join(dir, 'bare.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(ORDERS_SQL.create);
  const upsert = database.prepare(ORDERS_SQL.upsert);
  const write = database.transaction((batch: readonly Order[]) => {
    for (const { id, customer, quantity, total, ordered_at } of batch)
      upsert.run(id, customer, quantity, total, ordered_at);
  });
  const startedAt = performance.now();
  let rows = 0;
  let batch: Order[] = [];
  for await (const row of createReadStream(file).pipe(parse({ columns: true }))) {
    batch.push(orderOf(row as OrderText));
    if (batch.length < BATCH) continue;
    write.immediate(batch);
    rows += batch.length;
    batch = [];
  }
  write.immediate(batch);
  rows += batch.length;
  const ms = performance.now() - startedAt;
  database.close();
  return { rows, ms };
});
