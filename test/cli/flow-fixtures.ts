import type { ProjectFiles } from '../support/project.js';
import { config } from './fixtures.js';

/** A source of numbers that tells how far it is. It stops in the middle for as long as there is a file `hold`. */
const NUMBERS = `import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { defineSource } from 'millrace';
import { z } from 'zod';
export const numbers = defineSource({
  name: 'numbers',
  options: z.object({ upTo: z.number().int(), holds: z.boolean().default(false) }),
  async *read({ options: { upTo, holds }, dir, signal, cursor, batchSize }) {
    for (let next = Number(cursor ?? 0); next < upTo; next += batchSize) {
      const end = Math.min(next + batchSize, upTo);
      while (holds && end > upTo / 2 && existsSync(join(dir, 'hold')))
        await pause(50, undefined, { signal });
      const rows = Array.from({ length: end - next }, (_, at) => ({ number: next + at + 1 }));
      yield { rows, cursor: end, fraction: end / upTo };
    }
  },
});
`;

const COUNT = `import { defineDataFlow } from 'millrace';
import { ndjsonSink } from 'millrace/connectors';
import { z } from 'zod';
import { numbers } from '../connectors/numbers.js';

/** Rejects every hundredth number. */
export const count = defineDataFlow({
  name: 'count',
  description: 'Counts, and minds round numbers.',
  schedule: { every: '6h' },
  configuration: z.object({ upTo: z.number().int().default(500), label: z.string().default('n') }),
  source: ({ configuration }) => numbers({ upTo: configuration.upTo }),
  transform: ({ row }) => {
    if (row.number % 100 === 0) throw new Error('a round number');
    return row;
  },
  sink: ndjsonSink({ path: 'out/count.ndjson' }),
});

export const slow = defineDataFlow({
  name: 'slow',
  source: numbers({ upTo: 1000, holds: true }),
  sink: ndjsonSink({ path: 'out/slow.ndjson' }),
});

export const doomed = defineDataFlow({
  name: 'doomed',
  schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin' },
  retry: { maximumAttempts: 1 },
  run: async ({ saveCursor }) => {
    await saveCursor({ page: 2 }, { read: 3, written: 2 });
    throw new Error('the shop is closed');
  },
});
`;

const BEAT = `name: beat
schedule: { heartbeat: { every: 10m } }
after: [count]
source: { class_name: numbers, options: { upTo: 5 } }
sink: { class_name: ndjson, options: { path: out/beat.ndjson } }
`;

/** Of the flow that is taken away later. */
export const OLD = `import { defineDataFlow } from 'millrace';
export const old = defineDataFlow({ name: 'old', schedule: { every: '1h' }, run: () => {} });
`;

/** A project with flows of every kind of schedule, and no pipeline. */
export const FLOWS_PROJECT: ProjectFiles = {
  'millrace.config.ts': config(),
  'connectors/numbers.ts': NUMBERS,
  'flows/count.ts': COUNT,
  'flows/beat.yml': BEAT,
  'flows/old.ts': OLD,
};
