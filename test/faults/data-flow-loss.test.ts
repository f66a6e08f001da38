import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import pg from 'pg';
import { openCatalog, type Catalog } from '../../adapters/catalog/open-catalog.js';
import { post } from '../cli/fixtures.js';
import { killableFlows, runOf } from '../cli/data-flow-kill-fixtures.js';
import { useCli, type CliProcess } from '../support/cli.js';
import { describePostgres, startOwnPostgres } from '../support/postgres.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { tell } from './measurements.js';

const ROWS = 300_000;
const KILL_EVERY_MS = 4_000;
/** From then on it may end. */
const KILLS = 8;
/** Kills after which PostgreSQL is restarted. */
const RESTARTS = [2, 5];

describePostgres('a large flow whose worker is killed every few seconds', () => {
  const dir = useTemporaryDirectory();
  const start = useCli();
  let postgres: PostgresServer | undefined;
  let catalog: Catalog | undefined;
  afterEach(async () => {
    await catalog?.close();
    await postgres?.dispose();
  });

  it('and whose PostgreSQL restarts loses and doubles nothing', async () => {
    postgres = await startOwnPostgres();
    const { url } = postgres;
    const env = { TEMPORAL_ADDRESS: sharedServerAddress() };
    const flows = killableFlows({
      taskQueue: uniqueTaskQueue(),
      rows: ROWS,
      batchSize: 500,
      msPerRow: 1,
      pauseEvery: 6,
      postgres: url,
      catalog: url,
    });
    await writeProject(dir.path, flows.files);
    const startWorker = async (): Promise<CliProcess> => {
      const worker = start(['worker'], { cwd: dir.path, env });
      await worker.says(/worker ready/);
      return worker;
    };
    let worker = await startWorker();
    const server = start(['server', '--port', '0'], { cwd: dir.path, env });
    const [, address = ''] = await server.says(/"url":"(http:[^"]+)"/);
    const began = performance.now();
    const name = flows.nameOf('postgres');
    expect((await post(`${address}/data_flows/${name}/run`, {})).status).toBe(202);
    catalog = await openCatalog({ url });
    const { dataFlows } = catalog;
    let kills = 0;
    let killsBetween = 0;
    for (let read = 0; ;) {
      // Killed before it has found its work it would not be killed at it: a lost one is missed after 10 s.
      const run = await until(async () => {
        const found = await runOf(dataFlows, name).catch(() => undefined);
        if (found === undefined) return undefined;
        return found.endedAt !== null || found.counts.read > read ? found : undefined;
      }, 90_000);
      if (run.endedAt !== null) break;
      await delay(KILL_EVERY_MS);
      await worker.stop('SIGKILL');
      kills += 1;
      read = (await runOf(dataFlows, name)).counts.read;
      if (read < ROWS) killsBetween += 1;
      if (RESTARTS.includes(kills)) await postgres.restart();
      worker = await startWorker();
      if (kills >= KILLS) break;
    }
    const run = await until(async () => {
      const found = await runOf(dataFlows, name).catch(() => undefined);
      return found?.endedAt === null ? undefined : found;
    }, 500_000);
    tell('data flow loss', {
      rows: ROWS,
      kills,
      'kills in mid-run': killsBetween,
      restarts: RESTARTS.filter((after) => after <= kills).length,
      seconds: Math.round((performance.now() - began) / 1_000),
    });
    expect(run).toMatchObject({
      status: 'success',
      errorMessage: null,
      lastCursor: { row: ROWS },
      counts: { read: ROWS, written: ROWS, batches: ROWS / 500 },
    });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(
      'SELECT count(*)::int AS count, count(DISTINCT id)::int AS ids, min(id)::int, max(id)::int FROM rows',
    );
    await client.end();
    expect(rows).toEqual([{ count: ROWS, ids: ROWS, min: 1, max: ROWS }]);
    expect(killsBetween).toBeGreaterThanOrEqual(5);
  });
});
