import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { post } from '../cli/fixtures.js';
import { useCli, type CliOptions, type CliProcess } from '../support/cli.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { until } from '../support/until.js';
import {
  effectsIn,
  MARCH_STEPS,
  projectFiles,
  ROWS,
  rowsOut,
  type Effect,
} from './graceful-deploy-fixtures.js';
import { tell } from './measurements.js';

const dir = useProjectDirectory();
const start = useCli();

const DEPLOYS = 4;

/** A run is started so often while workers are replaced. */
const EVERY_MS = 300;

/** After this, what has not ended is lost. */
const PATIENCE_MS = 120_000;

/** What a run has to come to. */
const RESULTS: Readonly<Record<string, (n: number) => Readonly<Record<string, unknown>>>> = {
  order: (n) => ({ reserved: n, stamped: true, sealed: true, charged: 2 * n }),
  march: () => ({ marched: MARCH_STEPS }),
};

interface StartedRun {
  readonly url: string;
  readonly kind: 'order' | 'march' | 'parcel';
  readonly n: number;
}

/** Starts runs of all kinds in turns until it is told to stop: many short ones, some that outlast the grace time. */
async function startRuns(
  server: string,
  ledger: string,
  stop: AbortSignal,
): Promise<readonly StartedRun[]> {
  const kinds = ['order', 'order', 'march', 'order', 'parcel'] as const;
  const runs: StartedRun[] = [];
  for (let n = 0; !stop.aborted; n += 1) {
    const kind = kinds[n % kinds.length] ?? 'order';
    const path = kind === 'parcel' ? 'tasks' : 'pipelines';
    const base = `${server}/${path}/${kind}`;
    const { status, body } = await post(`${base}/async`, { n, ledger });
    if (status !== 202)
      throw new Error(`run ${String(n)} was not started: ${JSON.stringify(body)}`);
    // The body of a 202 has it.
    const { execution_id: id } = body as { readonly execution_id: string };
    runs.push({ url: `${base}/executions/${id}`, kind, n });
    await delay(EVERY_MS);
  }
  return runs;
}

interface EndedRun extends StartedRun {
  readonly status: string;
  readonly result: unknown;
}

async function untilEnded(run: StartedRun): Promise<EndedRun> {
  const ended = await until(async () => {
    const body = (await (await fetch(run.url)).json()) as EndedRun;
    return ['pending', 'running'].includes(body.status) ? undefined : body;
  }, PATIENCE_MS);
  return { ...run, status: ended.status, result: ended.result };
}

/** How often each effect of each run was there. */
function counted(effects: readonly Effect[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { runId, what } of effects)
    counts.set(`${runId} ${what}`, (counts.get(`${runId} ${what}`) ?? 0) + 1);
  return counts;
}

/** The effects that a run of a kind has, each once. */
const EFFECTS: Readonly<Record<StartedRun['kind'], number>> = {
  order: 4,
  march: MARCH_STEPS,
  parcel: 2 + MARCH_STEPS,
};

async function startWorker(options: CliOptions): Promise<CliProcess> {
  const worker = start(['worker'], options);
  await worker.says(/worker ready/);
  return worker;
}

interface Stopped {
  readonly pid: number;
  /** When it was told to, in milliseconds since the epoch. */
  readonly at: number;
  readonly tookMs: number;
  readonly code: number | null;
}

async function stopWorker(worker: CliProcess): Promise<Stopped> {
  const at = Date.now();
  const { code } = await worker.stop('SIGTERM');
  return { pid: worker.pid, at, tookMs: Date.now() - at, code };
}

async function projectOf(): Promise<CliOptions & { readonly ledger: string }> {
  await writeProject(dir.path, projectFiles(uniqueTaskQueue()));
  return {
    cwd: dir.path,
    env: { TEMPORAL_ADDRESS: sharedServerAddress() },
    ledger: join(dir.path, 'ledger.ndjson'),
  };
}

async function serverOf(options: CliOptions): Promise<string> {
  const server = start(['server', '--port', '0'], options);
  const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
  return url;
}

describe('workers that are replaced under load, one SIGTERM after the other', () => {
  it('lose nothing and do nothing twice: what ends in time ends, what does not goes on elsewhere where it was', async () => {
    const { ledger, ...options } = await projectOf();
    const url = await serverOf(options);
    let worker = await startWorker(options);
    expect((await post(`${url}/data_flows/copy/run`, {})).status).toBe(202);
    const loaded = new AbortController();
    const starting = startRuns(url, ledger, loaded.signal);
    // Who is cut needs to be at work for longer than the grace time.
    await delay(2_000);

    const stopping: Promise<Stopped>[] = [];
    for (let deploy = 0; deploy < DEPLOYS; deploy += 1) {
      const fresh = await startWorker(options);
      // The new one works while the old one ends what it has.
      stopping.push(stopWorker(worker));
      worker = fresh;
    }
    const stopped = await Promise.all(stopping);
    loaded.abort();
    const ended = await Promise.all((await starting).map((run) => untilEnded(run)));
    const flowRun = await until(async () => {
      const body: unknown = await (await fetch(`${url}/data_flows/copy/runs`)).json();
      const [run] = (body as { readonly runs: readonly { readonly status: string }[] }).runs;
      return run === undefined || ['pending', 'in_progress'].includes(run.status) ? undefined : run;
    }, PATIENCE_MS);

    const effects = await effectsIn(ledger);
    const counts = counted(effects);
    const runsOfTwoWorkers = new Set(
      stopped.flatMap(({ pid }) =>
        effects
          .filter(({ what, pid: by }) => by === pid && /^(?:march|haul) /.test(what))
          .map(({ runId }) => runId)
          .filter((runId) =>
            effects.some(
              (one) => one.runId === runId && one.pid !== pid && /^(?:march|haul) /.test(one.what),
            ),
          ),
      ),
    );
    const endedInGrace = effects.filter(({ pid, at }) =>
      stopped.some((one) => one.pid === pid && at > one.at),
    );
    tell('graceful deploys', {
      runs: ended.length,
      SIGTERM: stopped.length,
      effects: effects.length,
      'had while their worker stopped': endedInGrace.length,
      'runs gone on with elsewhere': runsOfTwoWorkers.size,
      'most attempts': Math.max(...effects.map(({ attempt }) => attempt)),
      'longest stop (ms)': Math.max(...stopped.map(({ tookMs }) => tookMs)),
    });

    // Nothing is lost.
    expect(ended.filter(({ status }) => status !== 'completed')).toEqual([]);
    for (const { kind, n, result } of ended) expect(result).toMatchObject(RESULTS[kind]?.(n) ?? {});
    expect(flowRun.status).toBe('success');
    // Nothing is done twice.
    expect([...counts].filter(([, times]) => times > 1)).toEqual([]);
    expect(counts.size).toBe(ended.reduce((sum, { kind }) => sum + EFFECTS[kind], 0));
    expect([...(await rowsOut(dir.path))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: ROWS }, (_, id) => id),
    );
    // A stop costs no attempt.
    expect(new Set(effects.map(({ attempt }) => attempt))).toEqual(new Set([1]));
    expect(stopped.map(({ code }) => code)).toEqual(stopped.map(() => 0));
    // There was something to lose, of both kinds.
    expect(endedInGrace.length).toBeGreaterThan(0);
    expect(runsOfTwoWorkers.size).toBeGreaterThan(0);
  }, 240_000);
});

describe('an operation that goes on when it is told to stop', () => {
  it('is handed over at the deadline, at the cost of no attempt: its effects alone may be there twice', async () => {
    const { ledger, ...options } = await projectOf();
    const url = await serverOf(options);
    const worker = await startWorker(options);
    const { body } = await post(`${url}/pipelines/stubborn/async`, { ledger });
    const { status_url: status } = body as { readonly status_url: string };
    await until(async () => ((await effectsIn(ledger)).length > 0 ? true : undefined), 30_000);
    const next = await startWorker(options);
    const { code, tookMs } = await stopWorker(worker);
    expect(code).toBe(0);
    // The body would take a minute.
    expect(tookMs).toBeLessThan(45_000);
    const ended = await untilEnded({ url: `${url}${status}`, kind: 'order', n: 0 });
    expect(ended).toMatchObject({ status: 'completed', result: { pid: next.pid } });
    expect((await effectsIn(ledger)).map(({ attempt, pid }) => [attempt, pid])).toEqual([
      [1, worker.pid],
      [1, next.pid],
    ]);
  }, 120_000);
});
