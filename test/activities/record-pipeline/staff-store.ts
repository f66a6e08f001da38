import { z } from 'zod';
import { defineStore, record } from '../../../adapters/record-store/index.js';
import { async, sync, type Processor } from '../../../src/record-pipeline/record-pipeline.js';

/** What drains are tested with. */
export const PROCESSORS: readonly (readonly [string, Processor])[] = [
  ['sync', sync()],
  ['async', async({ concurrency: 4, enqueueSeconds: 0.01 })],
];

/** Companies with their employees. */
export function staffIn(dir: string) {
  return defineStore({
    dir,
    versions: { duringRuns: 'none' },
    records: {
      company: record({
        table: 'companies',
        columns: { name: z.string(), fetched: z.boolean().default(false) },
        hasMany: { employees: { record: 'employee', foreignKey: 'company_id' } },
      }),
      employee: record({
        table: 'employees',
        columns: {
          name: z.string(),
          company_id: z.number().int(),
          processed: z.boolean().default(false),
          visits: z.number().int().default(0),
        },
        belongsTo: { company: { record: 'company', foreignKey: 'company_id' } },
      }),
    },
  });
}

/** One company, and employees e1, e2, …. */
export function withStaff(dir: string, count: number) {
  const store = staffIn(dir);
  store.company.create({ name: 'Acme' });
  for (let n = 1; n <= count; n += 1)
    store.employee.create({ name: `e${String(n)}`, company_id: 1 });
  return store;
}
