import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { async, defineRecordPipeline, defineStore, record, step } from 'millrace/records';
import { z } from 'zod';

/** Kept in the project's own state folder. Put yours where your data is. */
const store = defineStore({
  dir: '.millrace/strike-costs',
  records: {
    file: record({
      table: 'files',
      columns: { path: z.string(), read: z.boolean().default(false) },
    }),
    strike: record({
      table: 'strikes',
      columns: {
        airport_id: z.number().int(),
        date: z.iso.date(),
        species: z.string(),
        damage: z.string(),
        cost: z.number().int(),
        severity: z.number().int().nullable().default(null),
      },
      belongsTo: { airport: { record: 'airport', foreignKey: 'airport_id' } },
    }),
    airport: record({
      table: 'airports',
      columns: {
        name: z.string(),
        strikes: z.number().int().nullable().default(null),
        severe: z.number().int().default(0),
        cost: z.number().int().default(0),
      },
      hasMany: { reports: { record: 'strike', foreignKey: 'airport_id' } },
    }),
  },
});

/** How bad each kind of damage is. */
const SEVERITY: Readonly<Record<string, number>> = {
  None: 0,
  Minor: 1,
  Medium: 2,
  Substantial: 3,
};

/** What is taken of each line of the file. It has no quotes, and no commas but between its columns. */
function reportsIn(text: string) {
  const [, ...lines] = text.trimEnd().split('\n');
  return lines.map((line) => {
    const [airport = '', , damage = '', date = '', , , , , species = '', , , , cost] =
      line.split(',');
    return { airport, damage, date, species, cost: Number(cost) };
  });
}

/** Reads reports of aircraft that struck wildlife, rates each of them, and sums up what it came to at each airport. */
export const strikeCosts = defineRecordPipeline(store, {
  name: 'strike-costs',
  description: 'Rates reports of wildlife strikes, and sums them up by airport.',
  processor: async({ concurrency: 20 }),
  prepare: ({ store: s }) => {
    if (!s.file.exists()) s.file.create({ path: 'data/wildlife-strikes.csv' });
  },
  steps: [
    step({
      label: 'read the file',
      records: (s) => s.file.where({ read: false }),
      each: ({ record: file, store: s }) => {
        const text = readFileSync(join(s.dir, '../..', file.path), 'utf8');
        const airports = new Map<string, number>();
        for (const { airport: name, ...report } of reportsIn(text)) {
          const airport_id = airports.get(name) ?? s.airport.create({ name }).id;
          airports.set(name, airport_id);
          s.strike.create({ ...report, airport_id });
        }
        file.update({ read: true });
      },
    }),
    step({
      label: 'rate each strike',
      records: (s) => s.strike.where({ severity: null }),
      each: async ({ record: strike }) => {
        // As if somebody else's slow service had to be asked.
        await delay(5);
        const severity = SEVERITY[strike.damage];
        if (severity === undefined) throw new Error(`nobody knows the damage "${strike.damage}"`);
        strike.update({ severity });
      },
    }),
    step({
      label: 'sum up each airport',
      records: (s) => s.airport.where({ strikes: null }),
      each: ({ record: airport }) => {
        airport.update({
          strikes: airport.reports.count(),
          severe: airport.reports.where({ severity: 3 }).count(),
          cost: airport.reports.pluck('cost').reduce((sum, cost) => sum + cost, 0),
        });
      },
    }),
  ],
});
