import type { RecordTask } from './task.js';

/** Bodies at once where there are several. */
const CONCURRENCY = 50;

/** What a body waits for, as for a request to somebody else. */
const WAIT_MS = 20;

/** How a variant is measured: by which program, and with what. */
interface VariantPlan
  extends Pick<RecordTask, 'versions'>, Partial<Pick<RecordTask, 'concurrency' | 'waitMs'>> {
  readonly program: 'bare' | 'pool' | 'per-record' | 'bullmq' | 'millrace';
}

/** Everything that drains records. `control` is the bare loop once more: it differs by chance only. */
export const VARIANTS = {
  bare: { program: 'bare', versions: 'none' },
  control: { program: 'bare', versions: 'none' },
  sync: { program: 'millrace', versions: 'none' },
  async: { program: 'millrace', versions: 'none', concurrency: CONCURRENCY },
  'sync-versions': { program: 'millrace', versions: {} },
  // One version after the other is made: whenever a group is written while none is in the making.
  'sync-snapshots': { program: 'millrace', versions: 'transaction' },
  'per-record': { program: 'per-record', versions: 'none' },
  bullmq: { program: 'bullmq', versions: 'none', concurrency: CONCURRENCY },
  'pool-waiting': {
    program: 'pool',
    versions: 'none',
    concurrency: CONCURRENCY,
    waitMs: WAIT_MS,
  },
  'async-waiting': {
    program: 'millrace',
    versions: 'none',
    concurrency: CONCURRENCY,
    waitMs: WAIT_MS,
  },
} as const satisfies Readonly<Record<string, VariantPlan>>;

/** The name of one of {@link VARIANTS}. */
export type RecordVariant = keyof typeof VARIANTS;

/** Who drains how many records, in how many steps. */
export interface RecordCell {
  readonly variant: RecordVariant;
  readonly records: number;
  readonly steps: number;
  /** Those that no interval is needed of, or that take long. */
  readonly once?: true;
}

/** Numbers of records. */
export const SIZES = { few: 10_000, some: 100_000, many: 1_000_000 } as const;

const { few, some, many } = SIZES;

/** What is measured in each round, in random order. */
export const CELLS: readonly RecordCell[] = [
  ...[many, some, few].flatMap((records) => [...bodiesOf(records, 1), ...bodiesOf(records, 3)]),
  { variant: 'control', records: many, steps: 1 },
  { variant: 'sync-versions', records: many, steps: 1, once: true },
  { variant: 'sync-snapshots', records: many, steps: 1 },
  { variant: 'per-record', records: 2_000, steps: 1 },
  { variant: 'bullmq', records: few, steps: 1 },
  { variant: 'pool-waiting', records: few, steps: 1 },
  { variant: 'async-waiting', records: few, steps: 1 },
];

function bodiesOf(records: number, steps: number): readonly RecordCell[] {
  const isOnce = steps > 1 || records === few;
  return (['bare', 'sync', 'async'] as const).map((variant) => ({
    variant,
    records,
    steps,
    ...(isOnce && { once: true }),
  }));
}

/** How a cell is measured, but for where. */
export function taskOf({ variant, records, steps }: RecordCell): Omit<
  RecordTask,
  'dir' | 'address' | 'redis'
> & {
  readonly program: VariantPlan['program'];
} {
  const plan: VariantPlan = VARIANTS[variant];
  return { waitMs: 0, ...plan, records, steps };
}
