import { z } from 'zod';
import { coreOf, defineStore, type Store } from '../../adapters/record-store/define-store.js';
import { record } from '../../src/record-store/record.js';
import type { VersionsOfRuns } from '../../src/record-store/store.js';

/** A step for each: its body sets the column of records that do not have it yet. */
export const STEP_COLUMNS = ['checked', 'enriched', 'notified'] as const;

/** One of {@link STEP_COLUMNS}. */
export type StepColumn = (typeof STEP_COLUMNS)[number];

const RECORDS = {
  user: record({
    table: 'users',
    columns: {
      name: z.string().min(1),
      email: z.string(),
      checked: z.boolean().default(false),
      enriched: z.boolean().default(false),
      notified: z.boolean().default(false),
    },
  }),
};

/** The measured store. */
export type Users = Store<typeof RECORDS>;

/** Versions beside those of the last seconds are not what is measured: they would fill the disk. */
const VERSIONS_KEPT = 3;

/** The store of users in a folder. */
export function usersIn(dir: string, duringRuns: VersionsOfRuns): Users {
  return defineStore({ dir, versions: { duringRuns, keep: VERSIONS_KEPT }, records: RECORDS });
}

/** Makes the store in a folder with so many users, none of whom a step was done for. */
export function fillUsers(dir: string, count: number): void {
  const store = usersIn(dir, 'none');
  const { db } = coreOf(store).open();
  db.prepare(
    `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?)
     insert into users (id, name, email, checked, enriched, notified)
     select n, 'User ' || n, 'user.' || n || '@example.com', 0, 0, 0 from numbers`,
  ).run(count);
  store.close();
}
