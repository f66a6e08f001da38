import { afterEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ulid } from 'ulid';
import { config, post } from '../cli/fixtures.js';
import { useCli } from '../support/cli.js';
import {
  createPostgresDatabase,
  describePostgres,
  type PostgresDatabase,
} from '../support/postgres.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { percentile, tell } from './measurements.js';

const FLOWS = 10;
const AT_ONCE = 50;
const STORM_MS = 30_000;
const INTERVAL_MS = 1_000;

interface RunRow {
  readonly name: string;
  readonly run_seq: string;
  readonly status: string;
  readonly created_at: Date;
  readonly started_at: Date;
  readonly ended_at: Date | null;
}

/** The moments of the runs of each flow, in their order. */
function byFlow(rows: readonly RunRow[]): ReadonlyMap<string, readonly RunRow[]> {
  const found = new Map<string, RunRow[]>();
  for (const row of rows) found.set(row.name, [...(found.get(row.name) ?? []), row]);
  return found;
}

describePostgres('a storm of heartbeats on two server processes', () => {
  const dir = useTemporaryDirectory();
  const start = useCli();
  let database: PostgresDatabase | undefined;
  afterEach(async () => {
    await database?.drop();
  });

  it('starts each flow once per interval, never two runs of one at a time, and fails for nobody', async () => {
    database = await createPostgresDatabase();
    const suffix = ulid().toLowerCase();
    await writeProject(dir.path, {
      'millrace.config.ts': config(uniqueTaskQueue(), `catalog: { url: '${database.url}' }`),
      'flows/flows.ts': `import { defineDataFlow } from 'millrace';
${Array.from(
  { length: FLOWS },
  (_, at) => `export const flow${String(at)} = defineDataFlow({
  name: 'beat-${String(at)}-${suffix}',
  schedule: { heartbeat: { every: '1s' } },
  run: () => {},
});`,
).join('\n')}
`,
    });
    const env = { TEMPORAL_ADDRESS: sharedServerAddress() };
    const worker = start(['worker'], { cwd: dir.path, env });
    const servers = [0, 1].map(() => start(['server', '--port', '0'], { cwd: dir.path, env }));
    const urls = await Promise.all(
      servers.map(async (server) => (await server.says(/"url":"(http:[^"]+)"/))[1] ?? ''),
    );
    await worker.says(/worker ready/);

    const tookMs: number[] = [];
    const wrong: unknown[] = [];
    let triggered = 0;
    const began = performance.now();
    while (performance.now() - began < STORM_MS) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, at) => {
          const asked = performance.now();
          const { status, body } = await post(
            `${urls[at % 2] ?? ''}/data_flows/heartbeat`,
            {},
          ).catch((error: unknown) => ({ status: 0, body: String(error) }));
          tookMs.push(performance.now() - asked);
          if (status !== 200) wrong.push([status, body]);
          else triggered += (body as { readonly flows_triggered: number }).flows_triggered;
        }),
      );
      await delay(50);
    }
    await delay(5_000);

    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<RunRow>(
      `SELECT name, run_seq, r.status, r.created_at, r.started_at, ended_at
       FROM data_flow_runs r JOIN data_flows f ON f.id = r.data_flow_id ORDER BY name, run_seq`,
    );
    await client.end();
    const runs = byFlow(rows);
    const gapsMs: number[] = [];
    for (const [name, own] of runs) {
      expect(own.map(({ run_seq: seq }) => Number(seq))).toEqual(own.map((_, at) => at + 1));
      for (const [at, run] of own.entries()) {
        expect([name, run.run_seq, run.status]).toEqual([name, run.run_seq, 'success']);
        const before = own[at - 1];
        if (before === undefined) continue;
        // Never two at a time, and never two in an interval.
        const claimed = new Date(run.created_at).getTime();
        expect(claimed).toBeGreaterThanOrEqual(new Date(before.created_at).getTime());
        const gapMs = claimed - new Date(before.started_at).getTime();
        expect([name, run.run_seq, gapMs >= INTERVAL_MS]).toEqual([name, run.run_seq, true]);
        gapsMs.push(gapMs);
      }
    }
    const errors = servers.flatMap((server) => server.output().match(/"level":(?:50|60)/g) ?? []);
    tell('heartbeat storm', {
      requests: tookMs.length,
      runs: rows.length,
      triggered,
      'p50 ms': percentile(tookMs, 50),
      'p99 ms': percentile(tookMs, 99),
      'gap p50 ms': percentile(gapsMs, 50),
      failed: wrong.length,
      'error lines': errors.length,
    });
    expect(wrong).toEqual([]);
    expect(errors).toEqual([]);
    expect(runs.size).toBe(FLOWS);
    // What heartbeats say that they have started is what was started.
    expect(triggered).toBe(rows.length);
  });
});
