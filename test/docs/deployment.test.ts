import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';
import ms from 'ms';
import { parse } from 'yaml';
import { loadConfig } from '../../engine/project/load-config.js';
import { notesOf, walked, WALK, WALK_PIPELINE, endWalk } from '../cli/fixtures.js';
import { useCli, type CliOptions, type CliProcess } from '../support/cli.js';
import { post, send } from '../support/http-api.js';
import { COUNT_WORDS, WORD_REPORT } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { command, freePort, installProgram, KEY, untilReady } from './deployed.js';
import { blocksOf, projectOf } from './page.js';
import { compiled, useRunningProjects } from './running-project.js';

jest.setTimeout(120_000);

const PAGE = 'docs/deployment.md';
const run = promisify(execFile);

const QUICKSTART = {
  'operations/count-words.ts': COUNT_WORDS,
  'pipelines/word-report.yml': WORD_REPORT,
  'operations/walk.ts': WALK,
  'pipelines/walk.yml': WALK_PIPELINE,
};

/** What a process may need after the grace time: it is cut, and closes. */
const AFTER_GRACE_MS = 9_000;

const temporal = useTemporal();
const project = useRunningProjects(temporal);
const start = useCli();

/** The page's project, in a namespace that no other test has, as it is installed somewhere. */
async function deployed(name?: string): Promise<CliOptions & { readonly dir: string }> {
  const { dir, client } = await project({ ...QUICKSTART, ...projectOf(PAGE, name) });
  await installProgram(dir);
  const { namespace } = client.options;
  const env = {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: namespace,
    API_KEY: 'sesame',
  };
  return { dir, cwd: dir, env };
}

function file(name: string): string {
  return projectOf(PAGE)[name] ?? '';
}

async function graceMs(dir: string): Promise<number> {
  const { config } = await loadConfig(dir, {});
  return config?.worker.shutdownGraceTimeMs ?? Number.NaN;
}

async function runsWords(url: string): Promise<void> {
  const pipeline = `${url}/pipelines/word-report`;
  expect((await post(pipeline, { text: 'a' })).status).toBe(401);
  expect((await post(pipeline, { text: 'one two' }, KEY)).body).toMatchObject({
    result: { words: 2 },
  });
}

/** Ends processes as whoever looks after them does. */
async function endAll(processes: readonly CliProcess[]): Promise<void> {
  for (const one of processes) expect((await one.stop('SIGTERM')).code).toBe(0);
}

describe(`${PAGE}: processes`, () => {
  it('are those of the Procfile, which serve and end', async () => {
    const { dir, ...options } = await deployed();
    const port = await freePort();
    const env = { ...options.env, PORT: String(port) };
    const lines = file('Procfile').trim().split('\n');
    expect(lines.map((line) => line.split(':')[0])).toEqual(['web', 'worker']);
    const processes = lines.map((line) =>
      start(...command(line.replace(/^\w+: /, ''), { ...options, env })),
    );
    await processes[1]?.says(/worker ready/);
    const url = `http://127.0.0.1:${String(port)}`;
    await untilReady(url);
    await runsWords(url);
    // Heroku kills after 30 s.
    expect((await graceMs(dir)) + AFTER_GRACE_MS).toBeLessThan(30_000);
    await endAll(processes);
  });

  it('are those of its first commands, and of a server that works, too', async () => {
    const { dir, ...options } = await deployed();
    const blocks = blocksOf(PAGE).filter(({ marks }) => marks['processes'] !== undefined);
    expect(blocks).toHaveLength(2);
    for (const { code } of blocks) {
      const lines = code.split('\n').filter((line) => /millrace (?:worker|server)/.test(line));
      const port = await freePort();
      const processes = lines.map((line) => {
        const here = line
          .replace('temporal.internal:7233', temporal.address)
          .replace('8080', String(port));
        return start(...command(here, options));
      });
      const url = `http://127.0.0.1:${String(port)}`;
      await untilReady(url);
      await runsWords(url);
      await endAll(processes);
    }
    const check = blocks[0]?.code.split('\n').find((line) => line.endsWith('check')) ?? '';
    expect((await start(...command(check, { cwd: dir })).ended).code).toBe(0);
  });

  it('are that of the systemd unit, which systemd takes', async () => {
    const { dir, ...options } = await deployed();
    const unit = file('millrace-worker.service').replaceAll('/srv/my-project', dir);
    const setting = (name: string): string =>
      new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
    const port = await freePort();
    const line = setting('ExecStart').replace('9090', String(port)).replace(`${dir}/`, '');
    expect(setting('WorkingDirectory')).toBe(dir);
    const worker = start(...command(line, options));
    await untilReady(`http://127.0.0.1:${String(port)}`);
    expect(Number(setting('TimeoutStopSec')) * 1_000).toBeGreaterThan(
      (await graceMs(dir)) + AFTER_GRACE_MS,
    );
    await endAll([worker]);
    await writeFile(join(dir, 'millrace-worker.service'), unit);
    // It says what it does not understand, and what is not there to be executed.
    expect(await systemdSays(join(dir, 'millrace-worker.service'))).toBe('');
  });

  it('are those of the containers, which are healthy when they are ready', async () => {
    const { dir, ...options } = await deployed();
    const { services } = parse(file('compose.yaml')) as Compose;
    for (const [name, { command: args, healthcheck, stop_grace_period: grace }] of Object.entries(
      services,
    )) {
      const port = await freePort();
      const named = args[args.indexOf('--port') + 1] ?? '';
      const line = args.join(' ').replace(named, String(port));
      const child = start(...command(line, options));
      await untilReady(`http://127.0.0.1:${String(port)}`);
      const [kind, program = '', ...probe] = healthcheck.test;
      const asked = probe.map((part) => part.replace(named, String(port)));
      expect(kind).toBe('CMD');
      await run(program, asked);
      const needed = name === 'worker' ? (await graceMs(dir)) + AFTER_GRACE_MS : 10_000;
      expect(ms(grace)).toBeGreaterThan(needed);
      await endAll([child]);
      // Nobody is there any more.
      await expect(run(program, asked)).rejects.toMatchObject({ code: 1 });
    }
    expect(Object.keys(services)).toEqual(['worker', 'server']);
  });

  it('are that of the Kubernetes deployment, which answers its probes', async () => {
    const { dir, ...options } = await deployed();
    const { spec } = (parse(file('worker.yaml')) as Deployment).spec.template;
    const [container] = spec.containers;
    const args = container?.command ?? [];
    const named = args[args.indexOf('--port') + 1] ?? '';
    const port = await freePort();
    const worker = start(...command(args.join(' ').replace(named, String(port)), options));
    const url = `http://127.0.0.1:${String(port)}`;
    await untilReady(url);
    for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      const probe = container?.[name].httpGet;
      expect(String(probe?.port)).toBe(named);
      expect((await send(`${url}${probe?.path ?? ''}`)).status).toBe(200);
    }
    expect(spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(
      (await graceMs(dir)) + AFTER_GRACE_MS,
    );
    await endAll([worker]);
  });
});

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly command: readonly string[];
        readonly healthcheck: { readonly test: readonly string[] };
        readonly stop_grace_period: ms.StringValue;
      }
    >
  >;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number };
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly command: readonly string[];
          readonly startupProbe: Probe;
          readonly livenessProbe: Probe;
          readonly readinessProbe: Probe;
        }[];
      };
    };
  };
}

/** What `systemd-analyze verify` says of a unit; nothing where there is no systemd, either. */
async function systemdSays(unit: string): Promise<string> {
  const said = await run('systemd-analyze', ['verify', '--man=no', unit]).then(
    ({ stderr }) => stderr,
    (error: unknown) => {
      // What `execFile` rejects with.
      const { code, stderr } = error as { readonly code: unknown; readonly stderr: string };
      return code === 'ENOENT' ? '' : stderr;
    },
  );
  // It looks at units of the machine, too.
  return said
    .split('\n')
    .filter((line) => line.includes(basename(unit)))
    .join('\n');
}

describe(`${PAGE}: an app of one's own`, () => {
  const app = async (
    name: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly url: string; readonly dir: string; readonly child: CliProcess }> => {
    const { dir, ...options } = await deployed(name);
    const port = await freePort();
    const main = await compiled(dir, 'app.ts');
    const env = { ...options.env, PORT: String(port), ...more };
    const child = start([], { ...options, main, env });
    return { url: `http://127.0.0.1:${String(port)}`, dir, child };
  };

  /** Ends an app that has an operation in progress: it says that it drains, and the operation ends. */
  const drains = async (one: Awaited<ReturnType<typeof app>>): Promise<void> => {
    const { url, dir, child } = one;
    const notes = join(dir, 'notes.txt');
    const waiting = post(`${url}/ai/walk`, { steps: 600, notes });
    await walked(dir, 1);
    const ended = child.stop('SIGTERM');
    // Who waits is told where to look.
    expect((await waiting).status).toBe(202);
    await expect(fetch(`${url}/ready`)).rejects.toThrow();
    await endWalk(dir);
    expect((await ended).code).toBe(0);
    expect(await notesOf(dir)).toHaveLength(1);
  };

  it('in Koa has a worker where the environment says so', async () => {
    const one = await app('koa', { MILLRACE_WORKER_ENABLED: 'true' });
    await untilReady(one.url);
    expect((await send(`${one.url}/health`)).body).toMatchObject({ worker: 'running' });
    expect((await post(`${one.url}/ai/word-report`, { text: 'one two' })).body).toMatchObject({
      result: { words: 2 },
    });
    await drains(one);
  });

  it('in Koa has none otherwise, and starts runs for others', async () => {
    const { url, child } = await app('koa');
    await untilReady(url);
    expect((await send(`${url}/ready`)).body).toEqual({
      status: 'ready',
      parts: { temporal: 'ok' },
    });
    const { body } = await post(`${url}/ai/word-report/async`, { text: 'one' });
    expect((await send(`${url}${String(body['status_url'])}`)).body).toMatchObject({
      status: 'pending',
    });
    expect((await child.stop('SIGTERM')).code).toBe(0);
  });

  it('in Express serves pipelines beside routes of its own', async () => {
    const one = await app('express');
    await untilReady(one.url);
    const { url } = one;
    expect((await send(`${url}/health`)).body).toEqual({ status: 'ok', worker: 'running' });
    const { status, body } = await post(`${url}/ai/word-report/async`, { text: 'one two' });
    expect(status).toBe(202);
    expect(body['status_url']).toBe(`/ai/word-report/executions/${String(body['execution_id'])}`);
    await until(async () => {
      const { body: execution } = await send(`${url}${String(body['status_url'])}`);
      return execution['status'] === 'completed' ? true : undefined;
    });
    expect((await send(`${url}/ai`)).body).toHaveProperty('pipelines');
    expect((await post(`${url}/orders`, { text: 'three words here' })).status).toBe(202);
    await drains(one);
  });
});

describe(PAGE, () => {
  it('has no block that nothing here, or a test of its own, looks at', () => {
    const marks = ['file', 'processes', 'cloud', 'own-tls', 'promote', 'drained', 'move'];
    const unmarked = blocksOf(PAGE).filter(
      (block) => !marks.some((mark) => block.marks[mark] !== undefined),
    );
    expect(unmarked).toEqual([]);
  });
});
