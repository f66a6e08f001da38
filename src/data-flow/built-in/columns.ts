import { z } from 'zod';
import { permanent } from '../../pipeline/permanent.js';
import type { Row } from '../row.js';
import { defineTransform } from '../transform.js';

const TYPES = ['text', 'integer', 'number', 'boolean', 'date', 'json'] as const;

type ColumnType = (typeof TYPES)[number];

const column = z.union([
  z.enum(TYPES),
  z.strictObject({
    /** Name of the column in the source's row; the same unless set. */
    from: z.string().optional(),
    type: z.enum(TYPES).default('text'),
    /** Whether an empty text, null or nothing is taken, which then becomes null. */
    optional: z.boolean().default(false),
  }),
]);

/** Values that stand for true and false in files. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  1: true,
  false: false,
  f: false,
  no: false,
  n: false,
  0: false,
};

/**
 * Chooses, renames and converts the columns of a row: what YAML writes in place of a contract in TypeScript. A value that
 * cannot be converted rejects the row.
 *
 * @example
 * ```yaml
 * transform:
 *   class_name: columns
 *   options:
 *     columns:
 *       id: integer
 *       ordered_at: { from: "Order date", type: date, optional: true }
 * ```
 */
export const columns = defineTransform({
  name: 'columns',
  description: 'Chooses, renames and converts columns.',
  options: z.strictObject({ columns: z.record(z.string(), column) }),
  run: ({ row, options }: { readonly row: Row; readonly options: Options }): Row =>
    Object.fromEntries(
      Object.entries(options.columns).map(([name, written]) => {
        const {
          from = name,
          type,
          optional,
        } = typeof written === 'string' ? { from: name, type: written, optional: false } : written;
        return [name, converted(row[from], type, optional, from)];
      }),
    ),
});

interface Options {
  readonly columns: Readonly<Record<string, z.output<typeof column>>>;
}

function converted(value: unknown, type: ColumnType, optional: boolean, from: string): unknown {
  const text = typeof value === 'string' ? value.trim() : value;
  if (text === undefined || text === null || text === '') {
    if (optional) return null;
    throw permanent(`column "${from}" is empty`);
  }
  const result = CONVERSIONS[type](text);
  if (result !== undefined) return result;
  throw permanent(`column "${from}" is ${JSON.stringify(value)}, which is no ${type}`);
}

/** From anything but null and an empty text; undefined where that is impossible. */
const CONVERSIONS: Readonly<Record<ColumnType, (value: unknown) => unknown>> = {
  text: textOf,
  integer: (value) => {
    const number = numberOf(value);
    return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
  },
  number: numberOf,
  boolean: (value) => (typeof value === 'boolean' ? value : BOOLEANS[textOf(value).toLowerCase()]),
  date: (value) => {
    const date = value instanceof Date ? value : new Date(value as string | number);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  },
  json: (value) => {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      return undefined;
    }
  },
};

function numberOf(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
