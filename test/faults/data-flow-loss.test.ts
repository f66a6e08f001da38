import { afterEach, expect, it } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import pg from 'pg';
import { openCatalog, type Catalog } from '../../adapters/catalog/open-catalog.js';
import { hasMoved } from '../../src/data-flow/progress.js';
import { killableFlows, runOf } from '../cli/data-flow-kill-fixtures.js';
import { post } from '../cli/fixtures.js';
import { useCli, type CliProcess } from '../support/cli.js';
import { describePostgres, startOwnPostgres } from '../support/postgres.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { tell } from './measurements.js';

const ROWS = 300_000;
const BATCH_SIZE = 500;

/** Rows that have arrived since the last fault when the next one comes. All faults come before the last row. */
const ROWS_BETWEEN = { least: 8_000, more: 8_000 } as const;

/** A flow that went on gets further within this time, also where a killed worker has to be missed before. */
const PATIENCE_MS = 120_000;

/** What is killed, or restarted, in mid-run: together where there are several. */
type Victim = 'worker' | 'server' | 'postgres';
const FAULTS: readonly (readonly Victim[])[] = [
  ['worker'],
  ['worker'],
  ['postgres'],
  ['worker', 'postgres'],
  ['server'],
  ['worker'],
  ['postgres', 'server'],
  ['worker'],
  ['worker', 'server'],
  ['postgres'],
  ['worker', 'server', 'postgres'],
];

const temporal = useTemporal();
const dir = useTemporaryDirectory();
const start = useCli();
let postgres: PostgresServer | undefined;
let catalog: Catalog | undefined;

async function startWorker(): Promise<CliProcess> {
  const worker = start(['worker'], {
    cwd: dir.path,
    env: { TEMPORAL_ADDRESS: temporal.address },
  });
  await worker.says(/worker ready/);
  return worker;
}

interface Served {
  readonly process: CliProcess;
  readonly url: string;
}

async function startServer(): Promise<Served> {
  const env = { TEMPORAL_ADDRESS: temporal.address };
  const process = start(['server', '--port', '0'], { cwd: dir.path, env });
  const [, url = ''] = await process.says(/"url":"(http:[^"]+)"/);
  return { process, url };
}

/** What the database says; fails while it is away. */
async function query(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // A connection that is lost tells its query, too.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Rows that the sink has, by the position that it keeps with them. */
async function rowsIn(url: string): Promise<number> {
  const rows = await query(
    url,
    `SELECT position::json->'counts'->>'written' AS written FROM millrace_positions`,
  ).catch(() => []);
  return Number((rows[0] as { readonly written?: string } | undefined)?.written ?? 0);
}

/** Waits until the flow has moved more rows. @returns how many the sink has then */
async function untilFurther(url: string, than: number): Promise<number> {
  const enough = than + ROWS_BETWEEN.least + Math.random() * ROWS_BETWEEN.more;
  return until(async () => {
    const rows = await rowsIn(url);
    return rows >= enough ? rows : undefined;
  }, PATIENCE_MS);
}

/** A batch was in progress, or the next activity was about to begin. */
const NOTICED = /data flow attempt failed|the catalog is away/;

/** The database goes away under a worker that is at work, and comes back when that has noticed. */
async function restart(server: PostgresServer, noticing: CliProcess | undefined): Promise<void> {
  const before = noticing?.output().length ?? 0;
  await server.stop();
  await until(async () => {
    const said = noticing?.output().slice(before);
    return Promise.resolve(said === undefined || NOTICED.test(said) ? true : undefined);
  }, PATIENCE_MS);
  await server.start();
}

interface Processes {
  readonly worker: CliProcess;
  readonly server: Served;
}

/** Does to them what a fault does. @returns those that are there afterwards */
async function suffer(
  victims: readonly Victim[],
  { worker, server }: Processes,
  database: PostgresServer,
): Promise<Processes> {
  const [noWorker, noServer] = [victims.includes('worker'), victims.includes('server')];
  await Promise.all([
    noWorker ? worker.stop('SIGKILL') : undefined,
    noServer ? server.process.stop('SIGKILL') : undefined,
  ]);
  if (victims.includes('postgres')) await restart(database, noWorker ? undefined : worker);
  const [nextWorker, nextServer] = await Promise.all([
    noWorker ? startWorker() : worker,
    noServer ? startServer() : server,
  ]);
  return { worker: nextWorker, server: nextServer };
}

/** What Temporal has recorded of a run: attempts that failed, and what those that were missed had told last. */
async function attemptsOf(
  workflowId: string,
): Promise<{ readonly failed: number; readonly missed: readonly unknown[] }> {
  const history = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  const events = history.events ?? [];
  const missed = events.flatMap(({ activityTaskTimedOutEventAttributes: timedOut }) =>
    timedOut ? [timedOut.failure?.timeoutFailureInfo?.lastHeartbeatDetails?.payloads?.[0]] : [],
  );
  return {
    failed: events.filter(({ activityTaskFailedEventAttributes: failed }) => failed).length,
    missed: missed.map((told) => told && defaultPayloadConverter.fromPayload(told)),
  };
}

describePostgres(
  'a large flow, whose worker, server and PostgreSQL are lost time after time',
  () => {
    afterEach(async () => {
      await catalog?.close();
      await postgres?.dispose();
    });

    it('loses and doubles nothing', async () => {
      postgres = await startOwnPostgres();
      const { url } = postgres;
      const flows = killableFlows({
        taskQueue: uniqueTaskQueue(),
        rows: ROWS,
        batchSize: BATCH_SIZE,
        msPerRow: 1,
        pauseEvery: 6,
        postgres: url,
        catalog: url,
      });
      await writeProject(dir.path, flows.files);
      const name = flows.nameOf('postgres');
      let processes: Processes = { worker: await startWorker(), server: await startServer() };
      const began = performance.now();
      const { status } = await post(`${processes.server.url}/data_flows/${name}/run`, {});
      expect(status).toBe(202);
      let rows = 0;
      for (const victims of FAULTS) {
        rows = await untilFurther(url, rows);
        processes = await suffer(victims, processes, postgres);
        // In mid-run, and not after it.
        expect([victims, rows < ROWS]).toEqual([victims, true]);
      }
      const runUrl = `${processes.server.url}/data_flows/${name}/runs/1`;
      const told = await until(async () => {
        const body = (await (await fetch(runUrl)).json()) as { readonly status: string };
        return ['pending', 'in_progress'].includes(body.status) ? undefined : body;
      }, PATIENCE_MS + 120_000);
      const seconds = Math.round((performance.now() - began) / 1_000);
      expect(told).toMatchObject({ status: 'success', rows_read: ROWS, rows_written: ROWS });

      catalog = await openCatalog({ url });
      const run = await runOf(catalog.dataFlows, name);
      expect(run).toMatchObject({
        runSeq: 1,
        status: 'success',
        errorMessage: null,
        lastCursor: { row: ROWS },
        counts: { read: ROWS, written: ROWS, rejected: 0, batches: ROWS / BATCH_SIZE },
      });
      expect(
        await query(
          url,
          'SELECT count(*)::int AS count, count(DISTINCT id)::int AS ids, min(id)::int, max(id)::int FROM rows',
        ),
      ).toEqual([{ count: ROWS, ids: ROWS, min: 1, max: ROWS }]);
      await expectLosses(run.workflowId, { rows: ROWS, seconds });
    });
  },
);

/** There were faults: what was killed at work was missed, and what could not reach its database was tried again. */
async function expectLosses(
  workflowId: string,
  measured: Readonly<Record<string, number>>,
): Promise<void> {
  const times = (victim: Victim): number => FAULTS.filter((all) => all.includes(victim)).length;
  const { failed, missed } = await attemptsOf(workflowId);
  tell('data flow loss', {
    ...measured,
    'workers killed': times('worker'),
    'servers killed': times('server'),
    'PostgreSQL restarted': times('postgres'),
    'attempts missed': missed.length,
    'attempts failed': failed,
  });
  // One that is killed between two activities has none to be missed.
  expect(missed.length).toBeGreaterThanOrEqual(times('worker') / 2);
  // So none of them counts for one that got no further.
  expect(missed.filter((told) => !hasMoved(told))).toEqual([]);
  // One whose database goes away before it has begun waits for it.
  expect(failed).toBeGreaterThanOrEqual(1);
}
