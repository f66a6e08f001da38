import { defineDataFlow } from 'millrace';
import { contentHash, csvSource, sqlSink } from 'millrace/connectors';
import { z } from 'zod';

/** A column that may be empty: an empty text would become 0. */
const numberOrNothing = z.preprocess(
  (text) => (text === '' ? null : text),
  z.coerce.number().int().nullable(),
);

/** What a row of the file must be. Some have a damage of "B" or "C", which is none of these: they are rejected. */
const report = z.object({
  'Flight Date': z.iso.date(),
  'Airport Name': z.string(),
  'Origin State': z.string(),
  'Aircraft Make Model': z.string(),
  'Aircraft Airline Operator': z.string(),
  'Wildlife Species': z.string(),
  'Wildlife Size': z.enum(['Small', 'Medium', 'Large']),
  'Phase of flight': z.string(),
  'Effect Amount of damage': z.enum(['None', 'Minor', 'Medium', 'Substantial']),
  'Cost Total $': z.coerce.number().int().min(0),
  'Speed IAS in knots': numberOrNothing,
});

/**
 * Imports the reports into a table, every night at three. Run it twice: it goes on where it left off, and a row that the table
 * has already is not written again.
 */
export const wildlifeStrikes = defineDataFlow({
  name: 'wildlife-strikes',
  description: 'Imports reports of aircraft that struck wildlife.',
  schedule: { cron: '0 3 * * *', timezone: 'America/New_York' },
  source: csvSource({ path: 'data/wildlife-strikes.csv' }),
  reads: report,
  transform: ({ row }) => ({
    // The file has no key: the same report, word for word, is the same strike.
    id: contentHash(row),
    date: row['Flight Date'],
    airport: row['Airport Name'],
    state: row['Origin State'],
    aircraft: row['Aircraft Make Model'],
    operator: row['Aircraft Airline Operator'].replace(/\*$/, ''),
    species: row['Wildlife Species'],
    size: row['Wildlife Size'].toLowerCase(),
    phase: row['Phase of flight'].toLowerCase(),
    damage: row['Effect Amount of damage'].toLowerCase(),
    cost_usd: row['Cost Total $'],
    speed_knots: row['Speed IAS in knots'],
  }),
  sink: sqlSink({
    database: 'sqlite:.millrace/wildlife.db',
    table: 'strikes',
    key: ['id'],
    create: true,
  }),
});
