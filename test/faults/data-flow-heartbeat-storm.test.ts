import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openCatalog, type Catalog } from '../../adapters/catalog/open-catalog.js';
import type { DataFlowCatalog, FlowRunRecord } from '../../src/data-flow/catalog.js';
import { post } from '../cli/fixtures.js';
import { useCli, type CliProcess } from '../support/cli.js';
import {
  createPostgresDatabase,
  describePostgres,
  type PostgresDatabase,
} from '../support/postgres.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import {
  ledgerOf,
  oneAfterTheOther,
  quickFlows,
  RELEASE,
  steppingFlow,
  type StormProject,
} from './heartbeat-storm-fixtures.js';
import { percentile, tell } from './measurements.js';

const FLOWS = 8;
const AT_ONCE = 50;
const ROUNDS = 3;
/** Longer than fifty heartbeats take: within a round nothing becomes due again. */
const ROUND_INTERVAL_MS = 15_000;
/** A storm that goes on while flows become due again and again. */
const STORM_MS = 20_000;
const STORM_INTERVAL_MS = 1_000;
const TERMINATIONS = 2;
const PATIENCE_MS = 60_000;

const temporal = useTemporal();
const dir = useTemporaryDirectory();
const start = useCli();
let database: PostgresDatabase | undefined;
let catalog: Catalog | undefined;

afterEach(async () => {
  await catalog?.close();
  await database?.drop();
  [catalog, database] = [undefined, undefined];
});

/** Two server processes and two workers on one catalog. */
interface Stage {
  readonly names: readonly string[];
  readonly flows: DataFlowCatalog;
  readonly servers: readonly CliProcess[];
  readonly urls: readonly string[];
}

async function setUp(project: StormProject, address: string): Promise<Stage> {
  await writeProject(dir.path, project.files);
  const options = { cwd: dir.path, env: { TEMPORAL_ADDRESS: temporal.address } };
  const servers = [0, 1].map(() => start(['server', '--port', '0'], options));
  const workers = [0, 1].map(() => start(['worker'], options));
  const urls = await Promise.all(
    servers.map(async (server) => (await server.says(/"url":"(http:[^"]+)"/))[1] ?? ''),
  );
  await Promise.all(workers.map((worker) => worker.says(/worker ready/)));
  expect(new Set(servers.map(({ pid }) => pid)).size).toBe(2);
  catalog = await openCatalog({ url: address });
  return { names: project.names, flows: catalog.dataFlows, servers, urls };
}

/** What fifty heartbeats at the same instant were answered with, over both servers. */
interface Storm {
  readonly due: readonly number[];
  /** Runs that they say they have started, in sum. */
  readonly triggered: number;
  readonly tookMs: readonly number[];
}

async function storm({ urls }: Stage): Promise<Storm> {
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, at) => {
      const asked = performance.now();
      const { status, body } = await post(`${urls[at % 2] ?? ''}/data_flows/heartbeat`, {});
      const counts = body as { readonly flows_due: number; readonly flows_triggered: number };
      return { ...counts, status, body, ms: performance.now() - asked };
    }),
  );
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  return {
    due: answers.map(({ flows_due: due }) => due),
    triggered: answers.reduce((sum, { flows_triggered: triggered }) => sum + triggered, 0),
    tookMs: answers.map(({ ms }) => ms),
  };
}

/** Waits until no flow has a run that goes on. */
async function untilIdle({ flows }: Stage): Promise<void> {
  await until(
    async () => ((await flows.activeRuns(1)).length === 0 ? true : undefined),
    PATIENCE_MS,
  );
}

/** Waits until each flow is due. */
async function untilDue({ flows, names }: Stage): Promise<void> {
  await until(
    async () => ((await flows.due(new Date())).length === names.length ? true : undefined),
    PATIENCE_MS,
  );
}

/** The runs of a flow as the catalog has them, in their order. */
async function runsOf({ flows }: Stage, name: string): Promise<readonly FlowRunRecord[]> {
  return [...(await flows.runs(name, { limit: 1_000 }))].reverse();
}

/**
 * Neither the catalog's rows nor the ledger of the flows knows of two runs of one flow at the same time, or in the same interval.
 *
 * @returns how much later than the one before it each run has begun, and how many runs there are
 */
async function expectOneAtATime(
  stage: Stage,
  intervalMs: number,
): Promise<{ readonly runs: number; readonly gapsMs: readonly number[] }> {
  const ledger = await ledgerOf(dir.path);
  const gapsMs: number[] = [];
  let count = 0;
  for (const name of stage.names) {
    const runs = await runsOf(stage, name);
    count += runs.length;
    const own = ledger.filter(({ flow }) => flow === name);
    expect([name, own.map(({ what, runSeq }) => `${what} ${String(runSeq)}`)]).toEqual([
      name,
      oneAfterTheOther(runs.length),
    ]);
    for (const [at, run] of runs.entries()) {
      expect(run).toMatchObject({ runSeq: at + 1, status: 'success', trigger: 'heartbeat' });
      const before = runs[at - 1];
      if (before === undefined) continue;
      const [begins, ends] = [run.startedAt.getTime(), before.endedAt?.getTime() ?? Infinity];
      expect([name, run.runSeq, begins >= ends]).toEqual([name, run.runSeq, true]);
      const gapMs = run.createdAt.getTime() - before.startedAt.getTime();
      expect([name, run.runSeq, gapMs >= intervalMs]).toEqual([name, run.runSeq, true]);
      gapsMs.push(gapMs);
    }
  }
  return { runs: count, gapsMs };
}

function expectNoErrors({ servers }: Stage): void {
  const lines = servers.flatMap((server) => server.output().split('\n'));
  expect(lines.filter((line) => /"level":(?:50|60)/.test(line))).toEqual([]);
}

/** `address`: of the catalog, as this process opens it and as the project has it. */
function storms(kind: string, address: () => Promise<{ url: string; inProject: string }>): void {
  it('start each due flow once, and again when its interval has passed', async () => {
    const { url, inProject } = await address();
    const project = quickFlows({
      taskQueue: uniqueTaskQueue(),
      catalog: inProject,
      flows: FLOWS,
      every: `${String(ROUND_INTERVAL_MS)}ms`,
    });
    const stage = await setUp(project, url);
    const tookMs: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      if (round > 1) await untilDue(stage);
      const began = performance.now();
      const { due, triggered, tookMs: took } = await storm(stage);
      // Else it would say nothing: flows may be due again.
      expect(performance.now() - began).toBeLessThan(ROUND_INTERVAL_MS);
      expect([round, Math.max(...due), triggered]).toEqual([round, FLOWS, FLOWS]);
      tookMs.push(...took);
      await untilIdle(stage);
    }
    const { runs } = await expectOneAtATime(stage, ROUND_INTERVAL_MS);
    expect(runs).toBe(FLOWS * ROUNDS);
    expectNoErrors(stage);
    tell(`fifty heartbeats, ${kind}`, {
      rounds: ROUNDS,
      runs,
      'p50 ms': percentile(tookMs, 50),
      'p99 ms': percentile(tookMs, 99),
    });
  });

  it('start each flow once per interval while they go on and on, and fail for nobody', async () => {
    const { url, inProject } = await address();
    const project = quickFlows({
      taskQueue: uniqueTaskQueue(),
      catalog: inProject,
      flows: FLOWS,
      every: `${String(STORM_INTERVAL_MS)}ms`,
    });
    const stage = await setUp(project, url);
    const tookMs: number[] = [];
    let triggered = 0;
    for (const until = performance.now() + STORM_MS; performance.now() < until;) {
      const one = await storm(stage);
      triggered += one.triggered;
      tookMs.push(...one.tookMs);
    }
    await untilIdle(stage);
    const { runs, gapsMs } = await expectOneAtATime(stage, STORM_INTERVAL_MS);
    expectNoErrors(stage);
    tell(`heartbeat storm, ${kind}`, {
      requests: tookMs.length,
      runs,
      triggered,
      'p50 ms': percentile(tookMs, 50),
      'p99 ms': percentile(tookMs, 99),
      'gap p50 ms': percentile(gapsMs, 50),
    });
    // What heartbeats say that they have started is what was started.
    expect(triggered).toBe(runs);
    // Each flow was due more than once.
    expect(runs).toBeGreaterThanOrEqual(FLOWS * 2);
  });

  it('start a flow once that was terminated from outside, and nothing of it moves on beside the next run', async () => {
    const { url, inProject } = await address();
    const every = `${String(STORM_INTERVAL_MS)}ms`;
    const project = steppingFlow({ taskQueue: uniqueTaskQueue(), catalog: inProject, every });
    const stage = await setUp(project, url);
    expect((await storm(stage)).triggered).toBe(1);
    for (let runSeq = 1; runSeq <= TERMINATIONS; runSeq += 1) {
      await untilAtWork(runSeq);
      await untilOverdue(stage, project.name);
      // It is due, and goes on.
      expect(await storm(stage)).toMatchObject({ due: Array(AT_ONCE).fill(1), triggered: 0 });
      await temporal.client.workflow
        .getHandle(`flow/${project.name}/${String(runSeq)}`)
        .terminate('from outside');
      expect((await storm(stage)).triggered).toBe(1);
    }
    await untilAtWork(TERMINATIONS + 1);
    await untilStopped(TERMINATIONS);
    await writeProject(dir.path, { [RELEASE]: '' });
    await untilIdle(stage);
    const runs = await runsOf(stage, project.name);
    const lost = { status: 'failed', errorMessage: 'The run was terminated.' };
    expect(runs).toMatchObject([lost, lost, { status: 'success', errorMessage: null }]);
    for (const [at, run] of runs.slice(1).entries())
      expect(run.startedAt.getTime()).toBeGreaterThanOrEqual(runs[at]!.endedAt!.getTime());
    await expectStepsOnce(runs);
  });
}

/** Waits until the interval has passed since the run that goes on has begun: its end makes the flow due. */
async function untilOverdue(stage: Stage, flow: string): Promise<void> {
  await until(async () => {
    const run = (await runsOf(stage, flow)).at(-1);
    const beganMs = run?.startedAt.getTime() ?? Infinity;
    return Date.now() >= beganMs + STORM_INTERVAL_MS ? true : undefined;
  }, PATIENCE_MS);
}

/** Waits until a run has taken some steps. */
async function untilAtWork(runSeq: number): Promise<void> {
  await until(async () => {
    const steps = (await ledgerOf(dir.path)).filter(
      (line) => line.what === 'step' && line.runSeq === runSeq,
    );
    return steps.length >= 5 ? true : undefined;
  }, PATIENCE_MS);
}

/** Waits until each terminated run has been kept from taking another step. */
async function untilStopped(runs: number): Promise<void> {
  const stopped = await until(async () => {
    const found = (await ledgerOf(dir.path)).filter(({ what }) => what === 'stopped');
    return found.length >= runs ? found : undefined;
  }, PATIENCE_MS);
  expect(stopped.map(({ runSeq, more }) => [runSeq, more])).toEqual(
    Array.from({ length: runs }, (_, at) => [at + 1, 'FenceLost']),
  );
}

/** Each step was taken by one run, and those of a later run come behind those of an earlier one. */
async function expectStepsOnce(runs: readonly FlowRunRecord[]): Promise<void> {
  const steps = (await ledgerOf(dir.path))
    .filter(({ what }) => what === 'step')
    .map(({ runSeq, more }) => ({ runSeq, step: Number(more) }))
    .sort((a, b) => a.step - b.step);
  expect(steps.map(({ step }) => step)).toEqual(steps.map((_, at) => at + 1));
  expect(steps.map(({ runSeq }) => runSeq)).toEqual(
    runs.flatMap(({ runSeq, counts }) => Array<number>(counts.read).fill(runSeq)),
  );
  expect(runs.map(({ lastCursor }) => lastCursor).at(-1)).toBe(steps.length);
}

describe('fifty heartbeats at the same instant on two server processes, with a catalog in SQLite', () => {
  storms('SQLite', () =>
    Promise.resolve({
      url: `sqlite:${join(dir.path, 'catalog.db')}`,
      inProject: 'sqlite:catalog.db',
    }),
  );
});

describePostgres(
  'fifty heartbeats at the same instant on two server processes, with a catalog in PostgreSQL',
  () => {
    storms('PostgreSQL', async () => {
      database = await createPostgresDatabase();
      return { url: database.url, inProject: database.url };
    });
  },
);
