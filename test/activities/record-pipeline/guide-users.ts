import { z } from 'zod';
import { defineStore, record } from '../../../adapters/record-store/index.js';

/** The users of the guide, in a store with a version of them. */
export async function usersWith(dir: string, names: readonly string[]) {
  const store = defineStore({
    dir,
    records: {
      user: record({
        table: 'users',
        columns: {
          name: z.string(),
          age: z.number().int().default(30),
          active: z.boolean().default(true),
          email: z.string().nullable().default(null),
          processed: z.boolean().default(false),
        },
      }),
    },
  });
  await store.transaction(() => {
    for (const name of names) store.user.create({ name });
  });
  return store;
}
