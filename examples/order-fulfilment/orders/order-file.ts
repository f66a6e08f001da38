import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { permanent } from 'millrace';
import { z } from 'zod';

/** An order of a file. */
export interface Order {
  readonly orderId: string;
  readonly amountCents: number;
  readonly card: string;
}

/** A row of a file: an order, or the reason why it is none. */
export type OrderRow =
  | { readonly order: Order; readonly refused?: undefined }
  | { readonly order?: undefined; readonly refused: string };

/** The folder of the project, so that it does not matter from where a worker was started. */
const PROJECT = join(import.meta.dirname, '..');

const row = z.object({
  order_id: z.string().regex(/^O-\d+$/, 'must be O- and a number'),
  placed_on: z.iso.date('must be a day, such as 2026-03-01'),
  customer: z.string().min(1, 'must say who'),
  country: z.string().regex(/^[A-Z]{2}$/, 'must be two capital letters'),
  quantity: z.string().regex(/^[1-9]\d{0,3}$/, 'must be 1 to 9999'),
  unit_price: z.string().regex(/^\d{1,6}\.\d{2}$/, 'must be an amount, such as 9.90'),
  currency: z.literal('EUR', 'must be EUR'),
  card: z.string().min(1, 'must not be empty'),
});

/**
 * Rows of a file, in its order, from `start` up to and without `end`; they are counted from 0, without the head. Reads the file from its
 * beginning, which is nothing for thousands of rows; give each worker a file of its own where there are millions.
 *
 * @param file - its path, from the folder of the project
 * @throws a permanent error where there is no such file, other errors of the file system, and csv-parse's for what is no CSV
 */
export async function readOrders(
  file: string,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<readonly OrderRow[]> {
  return (await readRows(file)).slice(start, end).map(orderOf);
}

/** How many rows a file has, without the head. */
export async function countOrders(file: string): Promise<number> {
  return (await readRows(file)).length;
}

async function readRows(file: string): Promise<readonly unknown[]> {
  const text = await readFile(resolve(PROJECT, file), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw permanent(`there is no file ${file}`, { file }, 'NoSuchFile');
    throw error;
  });
  // Rows with too few or too many columns are judged one by one, like all others.
  return parse(text, {
    columns: true,
    bom: true,
    skip_empty_lines: true,
    relax_column_count: true,
  });
}

function orderOf(fields: unknown): OrderRow {
  const { success, data, error } = row.safeParse(fields);
  if (!success) {
    const [issue] = error.issues;
    return { refused: `${issue?.path.join('.') ?? 'row'} ${issue?.message ?? 'is wrong'}` };
  }
  // Cents are exact where sums of euros are not.
  const amountCents = Number(data.quantity) * Number(data.unit_price.replace('.', ''));
  return { order: { orderId: data.order_id, amountCents, card: data.card } };
}
