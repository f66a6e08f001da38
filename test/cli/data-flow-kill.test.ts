import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { openCatalog, type Catalog } from '../../adapters/catalog/open-catalog.js';
import type { DataFlowCatalog } from '../../src/data-flow/catalog.js';
import { useCli, type CliProcess } from '../support/cli.js';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { SHARED_POSTGRES_VARIABLE } from '../support/shared-server-variable.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { post } from './fixtures.js';
import {
  idsIn,
  keptPosition,
  killableFlows,
  limitFlows,
  runOf,
  upTo,
  type KillableFlows,
  type SinkKind,
} from './data-flow-kill-fixtures.js';

jest.setTimeout(150_000);

const temporal = useTemporal();
const dir = useProjectDirectory();
const start = useCli();

let database: PostgresDatabase | undefined;
let catalog: Catalog | undefined;

afterEach(async () => {
  await catalog?.close();
  await database?.drop();
  [catalog, database] = [undefined, undefined];
});

async function startWorker(): Promise<CliProcess> {
  const env = { TEMPORAL_ADDRESS: temporal.address };
  const worker = start(['worker'], { cwd: dir.path, env });
  await worker.says(/worker ready/);
  return worker;
}

const ROWS = 1_500;
const BATCH_SIZE = 50;

/** A project with slow flows, at work; their runs are started, and none moves more rows than `limit` for now. */
async function startFlows(limit: number): Promise<{
  readonly flows: KillableFlows;
  readonly dataFlows: DataFlowCatalog;
  readonly worker: CliProcess;
}> {
  // Where there is none, tests of PostgreSQL say so.
  if (process.env[SHARED_POSTGRES_VARIABLE] !== undefined)
    database = await createPostgresDatabase();
  const flows = killableFlows({
    taskQueue: uniqueTaskQueue(),
    rows: ROWS,
    batchSize: BATCH_SIZE,
    msPerRow: 3,
    ...(database !== undefined && { postgres: database.url }),
  });
  await writeProject(dir.path, flows.files);
  await limitFlows(dir.path, limit);
  const env = { TEMPORAL_ADDRESS: temporal.address };
  const server = start(['server', '--port', '0'], { cwd: dir.path, env });
  const worker = await startWorker();
  const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
  for (const kind of flows.kinds)
    expect((await post(`${url}/data_flows/${flows.nameOf(kind)}/run`, {})).status).toBe(202);
  catalog = await openCatalog({ url: `sqlite:${join(dir.path, 'catalog.db')}` });
  return { flows, dataFlows: catalog.dataFlows, worker };
}

type ReadByKind = Partial<Record<SinkKind, number>>;

async function readSoFar({ kinds, nameOf }: KillableFlows, of: DataFlowCatalog) {
  const read: ReadByKind = {};
  for (const kind of kinds) read[kind] = (await runOf(of, nameOf(kind))).counts.read;
  return read;
}

/** Waits until each flow has got further than it was. */
async function untilFurther(
  flows: KillableFlows,
  of: DataFlowCatalog,
  than: ReadByKind,
): Promise<void> {
  await until(async () => {
    const now = await readSoFar(flows, of);
    return flows.kinds.every((kind) => (now[kind] ?? 0) > (than[kind] ?? 0)) ? true : undefined;
  }, 40_000);
}

/** No worker lives: what catalog and sink have must fit. */
async function expectAgreement(
  kind: SinkKind,
  { nameOf }: KillableFlows,
  of: DataFlowCatalog,
): Promise<void> {
  const { runSeq } = await runOf(of, nameOf(kind));
  const position = (await of.position({ flow: nameOf(kind), runSeq }))!;
  const { counts, cursor, sinkState } = position;
  // The cursor of a file has the number of its rows.
  expect(cursor).toMatchObject({ row: counts.read });
  expect(counts.written).toBe(counts.read);
  const ids = await idsIn(kind, dir.path, database?.url);
  switch (kind) {
    case 'keyed':
    case 'keeping': {
      const kept = keptPosition(join(dir.path, `${kind}.db`));
      expect(kept.counts.written).toBe(ids.length);
      expect(kept.cursor).toMatchObject({ row: ids.length });
      expect(counts.written).toBeLessThanOrEqual(ids.length);
      break;
    }
    case 'postgres':
      expect(counts.written).toBeLessThanOrEqual(ids.length);
      break;
    case 'ndjson': {
      const { bytes } = sinkState as { readonly bytes: number };
      const safe = (await readFile(join(dir.path, 'out.ndjson'))).subarray(0, bytes).toString();
      expect(safe.split('\n')).toHaveLength(counts.written + 1);
      break;
    }
    case 'plain':
      expect(new Set(ids).size).toBeGreaterThanOrEqual(counts.written);
      break;
  }
}

async function expectEnd(
  kind: SinkKind,
  { nameOf, rows }: KillableFlows,
  of: DataFlowCatalog,
): Promise<void> {
  const run = await until(async () => {
    const found = await runOf(of, nameOf(kind));
    return found.endedAt === null ? undefined : found;
  }, 60_000);
  expect([kind, run.status, run.errorMessage]).toEqual([kind, 'success', null]);
  expect(run).toMatchObject({
    runSeq: 1,
    lastCursor: { row: rows },
    counts: { read: rows, written: rows, rejected: 0 },
  });
  expect((await of.flow(nameOf(kind)))?.cursor).toMatchObject({ row: rows });
  const ids = await idsIn(kind, dir.path, database?.url);
  if (kind !== 'plain') expect([kind, ids]).toEqual([kind, upTo(rows)]);
  else expect([...new Set(ids)].sort((a, b) => a - b)).toEqual(upTo(rows));
}

/** How often something has happened to a run, by Temporal's history of it. */
async function countEvents(
  workflowId: string,
  attributes: 'activityTaskTimedOutEventAttributes' | 'workflowTaskTimedOutEventAttributes',
): Promise<number> {
  const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).filter((event) => Boolean(event[attributes])).length;
}

const KILLS = 3;
/** Rows that flows may move from one kill to the next: those that are faster wait for the others. */
const ROWS_BETWEEN = 400;

describe('workers that are killed in the middle of batches', () => {
  it('lose no row of any flow, double none where the sink can tell, and keep exact counts', async () => {
    const { flows, dataFlows, worker: first } = await startFlows(ROWS_BETWEEN);
    let worker = first;
    let before: ReadByKind = {};
    for (let kill = 1; kill <= KILLS; kill += 1) {
      // Not the end of a batch.
      await limitFlows(dir.path, kill * ROWS_BETWEEN + BATCH_SIZE / 2);
      await untilFurther(flows, dataFlows, before);
      // In reading, in transforming or in writing, of each flow as it comes.
      await delay(Math.random() * 500);
      await worker.stop('SIGKILL');
      for (const kind of flows.kinds) await expectAgreement(kind, flows, dataFlows);
      before = await readSoFar(flows, dataFlows);
      worker = await startWorker();
    }
    await limitFlows(dir.path, ROWS);
    for (const kind of flows.kinds) {
      await expectEnd(kind, flows, dataFlows);
      const { workflowId } = await runOf(dataFlows, flows.nameOf(kind));
      // Killed while it was at work, each time.
      const missed = await countEvents(workflowId, 'activityTaskTimedOutEventAttributes');
      expect([kind, missed >= KILLS]).toEqual([kind, true]);
    }
  });

  it('and workers that are stopped hand their flows over: at once, and at the cost of no attempt', async () => {
    const { flows, dataFlows, worker } = await startFlows(ROWS / 2);
    await untilFurther(flows, dataFlows, {});
    const second = await startWorker();
    expect((await worker.stop('SIGTERM')).code).toBe(0);
    for (const kind of flows.kinds)
      expect((await runOf(dataFlows, flows.nameOf(kind))).endedAt).toBeNull();
    await limitFlows(dir.path, ROWS);
    for (const kind of flows.kinds) {
      await expectEnd(kind, flows, dataFlows);
      const { workflowId } = await runOf(dataFlows, flows.nameOf(kind));
      // Nobody had to miss the worker that was stopped, or to wait for it.
      const missed = await countEvents(workflowId, 'activityTaskTimedOutEventAttributes');
      const waited = await countEvents(workflowId, 'workflowTaskTimedOutEventAttributes');
      expect([kind, missed, waited]).toEqual([kind, 0, 0]);
    }
    // Each batch was finished: even a sink that cannot tell has every row once.
    expect(await idsIn('plain', dir.path)).toEqual(upTo(flows.rows));
    expect(second.output()).not.toMatch(/"attempt":[2-9]/);
  });
});
