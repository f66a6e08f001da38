import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { randomNumbers } from '../statistics.js';

/** A row of the measured files, as CSV has it. */
export type OrderText = Readonly<
  Record<'id' | 'customer' | 'quantity' | 'price' | 'ordered_at', string>
>;

/** A row as it is written. */
export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly quantity: number;
  readonly total: number;
  readonly ordered_at: string;
}

/** The transform that every variant applies. */
export function orderOf(row: OrderText): Order {
  const quantity = Number(row.quantity);
  return {
    id: Number(row.id),
    customer: row.customer.trim(),
    quantity,
    total: Math.round(quantity * Number(row.price) * 100) / 100,
    ordered_at: row.ordered_at,
  };
}

/** Rows that are joined before they are written to a file. */
const CHUNK = 10_000;

/** Writes a file of orders; the same number of rows is the same file. */
export async function writeOrders(path: string, rows: number): Promise<void> {
  const random = randomNumbers(rows);
  const file = createWriteStream(path);
  file.write('id,customer,quantity,price,ordered_at\n');
  for (let id = 1; id <= rows;) {
    const lines: string[] = [];
    for (const last = Math.min(rows, id + CHUNK - 1); id <= last; id += 1) {
      const quantity = 1 + Math.floor(random() * 9);
      const price = (random() * 500).toFixed(2);
      const day = 1 + Math.floor(random() * 28);
      const customer = Math.floor(random() * 50_000);
      lines.push(
        `${String(id)},"Customer ${String(customer)}",${String(quantity)},${price},2026-03-${String(day).padStart(2, '0')}T12:00:00Z\n`,
      );
    }
    if (!file.write(lines.join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

/** The statements with which hand-written code writes orders. */
export const ORDERS_SQL = {
  create:
    'CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer TEXT, quantity INTEGER, total REAL, ordered_at TEXT)',
  upsert:
    'INSERT INTO orders (id, customer, quantity, total, ordered_at) VALUES (?, ?, ?, ?, ?) ' +
    'ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, quantity = excluded.quantity, total = excluded.total, ordered_at = excluded.ordered_at',
} as const;
