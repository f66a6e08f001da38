import { z } from 'zod';
import { defineStore, record } from '../../../../adapters/record-store/index.js';
import type { VersionPolicy } from '../../../../src/record-store/store.js';

/** What a body does with a box. */
export const PLANS = ['finish', 'spawn', 'vanish', 'fail', 'linger', 'stuck', 'tally'] as const;
export type Plan = (typeof PLANS)[number];

export const STATES = ['new', 'open', 'done'] as const;

/** Boxes with items, and tallies that several bodies change: what random sequences of steps are done to. */
export function boxesIn(dir: string, duringRuns: NonNullable<VersionPolicy['duringRuns']>) {
  return defineStore({
    dir,
    versions: { duringRuns, keep: 10_000 },
    records: {
      box: record({
        table: 'boxes',
        columns: {
          key: z.string(),
          plan: z.enum(PLANS),
          state: z.enum(STATES).default('new'),
          weight: z.number().int().default(0),
          note: z.string().nullable().default(null),
          tags: z.array(z.string()).default([]),
          size: z.bigint().default(0n),
          at: z.date().optional(),
        },
        validates: ({ weight }) => (weight < 0 ? 'a box weighs something' : undefined),
        hasMany: { items: { record: 'item', foreignKey: 'box_id' } },
      }),
      item: record({
        table: 'items',
        columns: {
          key: z.string(),
          box_id: z.number().int(),
          done: z.boolean().default(false),
          visits: z.number().int().default(0),
        },
        belongsTo: { box: { record: 'box', foreignKey: 'box_id' } },
      }),
      tally: record({ table: 'tallies', columns: { total: z.number().int().default(0) } }),
    },
  });
}

export type BoxStore = ReturnType<typeof boxesIn>;

export interface BoxValues {
  readonly key: string;
  readonly plan: Plan;
  readonly state: (typeof STATES)[number];
  readonly weight: number;
  readonly note: string | null;
  readonly tags: readonly string[];
  readonly size: bigint;
  readonly at: Date | undefined;
}

export interface ItemValues {
  readonly key: string;
  readonly box_id: number;
  readonly done: boolean;
  readonly visits: number;
}

export interface TallyValues {
  readonly total: number;
}
