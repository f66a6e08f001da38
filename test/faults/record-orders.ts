import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineStore, record } from '../../adapters/record-store/index.js';
import {
  async,
  defineRecordPipeline,
  step,
  type RecordPipeline,
} from '../../src/record-pipeline/record-pipeline.js';

/** Bodies that are worked on at once. */
export const CONCURRENCY = 8;

/** Longest time of a body beside that of its effect. */
const LONGEST_MS = 12;

/** Orders with an account each; a parcel comes of each order, and a label of each parcel. */
export function ordersIn(dir: string) {
  return defineStore({
    dir,
    // Versions are being made all the time.
    versions: { duringRuns: { every: 150, records: 300 }, keep: 12 },
    records: {
      order: record({
        table: 'orders',
        columns: { account_id: z.number().int(), isSplit: z.boolean().default(false) },
        belongsTo: { account: { record: 'account', foreignKey: 'account_id' } },
      }),
      account: record({ table: 'accounts', columns: { orders: z.number().int().default(0) } }),
      parcel: record({
        table: 'parcels',
        columns: {
          order_id: z.number().int(),
          isPacked: z.boolean().default(false),
          text: z.string().default(''),
        },
        belongsTo: { order: { record: 'order', foreignKey: 'order_id' } },
      }),
      label: record({ table: 'labels', columns: { parcel_id: z.number().int() } }),
    },
  });
}

export type OrderStore = ReturnType<typeof ordersIn>;

/** Each body changes two records, creates one, and has an effect outside of the store, which nobody takes back. */
export function orderPipeline(store: OrderStore, ledger: string): RecordPipeline<OrderStore> {
  const effect = (what: string, id: number): void => {
    appendFileSync(ledger, `${what} ${String(id)}\n`);
  };
  const work = (): Promise<void> => delay(Math.random() * LONGEST_MS);
  return defineRecordPipeline(store, {
    name: 'orders',
    processor: async({ concurrency: CONCURRENCY, enqueueSeconds: 0.01 }),
    steps: [
      // Nothing to do before the other one has made it.
      step({
        label: 'pack',
        records: (s) => s.parcel.where({ isPacked: false }),
        each: async ({ record: parcel, store: s }) => {
          parcel.update({ isPacked: true });
          await work();
          parcel.order?.account?.update({ orders: 2 });
          s.label.create({ parcel_id: parcel.id });
          effect('pack', parcel.id);
        },
      }),
      step({
        label: 'split',
        records: (s) => s.order.where({ isSplit: false }),
        each: async ({ record: order, store: s }) => {
          s.parcel.create({ order_id: order.id, text: 'x'.repeat(200) });
          await work();
          order.account?.update({ orders: 1 });
          order.update({ isSplit: true });
          effect('split', order.id);
        },
      }),
    ],
  });
}

/** What would be there of a body that was applied by half: no row of any of these. */
export const HALVES: readonly string[] = [
  'select id from orders o where isSplit <> (select count(*) from parcels p where p.order_id = o.id)',
  'select id from parcels p where isPacked <> (select count(*) from labels l where l.parcel_id = p.id)',
  `select id from accounts a where orders <>
     (select o.isSplit + coalesce((select p.isPacked from parcels p where p.order_id = o.id), 0)
      from orders o where o.account_id = a.id)`,
];
