import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { cli, useCli } from '../support/cli.js';
import { send } from '../support/http-api.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { until } from '../support/until.js';
import { config, endWalk, notesOf, post, WALK, WALK_PIPELINE, walked } from './fixtures.js';

jest.setTimeout(90_000);

const dir = useProjectDirectory();
const start = useCli();

async function project(
  more = '',
): Promise<{ readonly cwd: string; readonly env: Record<string, string> }> {
  await writeProject(dir.path, {
    'millrace.config.ts': config(uniqueTaskQueue(), more),
    'operations/walk.ts': WALK,
    'pipelines/walk.yml': WALK_PIPELINE,
  });
  return { cwd: dir.path, env: { TEMPORAL_ADDRESS: sharedServerAddress() } };
}

async function statusOf(url: string): Promise<readonly unknown[]> {
  const { status, body } = await send(`${url}/ready`);
  return [status, body['status'], (body['parts'] as { worker?: string }).worker];
}

describe('probes of millrace worker', () => {
  it('find it starting, ready, and draining until what it has in progress is over', async () => {
    const options = await project(`worker: { shutdownGraceTime: '30s' }`);
    const worker = start(['worker', '--port', '0'], options);
    const [, url = ''] = await worker.says(/"url":"([^"]+)".*"msg":"worker answers probes"/);
    const first = await statusOf(url);
    expect([
      [503, 'starting', 'starting'],
      [200, 'ready', 'running'],
    ]).toContainEqual(first);
    await worker.says(/worker ready/);
    expect(await statusOf(url)).toEqual([200, 'ready', 'running']);
    const notes = join(dir.path, 'notes.txt');
    await cli(
      ['run', 'walk', '--set', 'steps=600', '--set', `notes=${notes}`, '--detach'],
      options,
    );
    await walked(dir.path, 1);

    const stopped = worker.stop('SIGTERM');
    await worker.says(/worker is stopping/);
    await until(async () => ((await statusOf(url))[1] === 'draining' ? true : undefined));
    expect(await statusOf(url)).toEqual([503, 'draining', 'draining']);
    expect((await send(`${url}/health`)).body).toMatchObject({ status: 'ok', worker: 'draining' });
    await endWalk(dir.path);
    expect((await stopped).code).toBe(0);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    expect(await notesOf(dir.path)).toHaveLength(1);
  });

  it('have the port of MILLRACE_WORKER_PORT, and none where nobody names one', async () => {
    const options = await project();
    const env = { ...options.env, MILLRACE_WORKER_PORT: '0' };
    const probed = start(['worker'], { ...options, env });
    await probed.says(/worker answers probes/);
    const silent = start(['worker'], options);
    await silent.says(/worker ready/);
    expect(silent.output()).not.toContain('probes');
    expect((await probed.stop('SIGTERM')).code).toBe(0);
    expect((await silent.stop('SIGTERM')).code).toBe(0);
  });
});

describe('GET /metrics of millrace worker', () => {
  it('tells of what the worker has done, where the configuration says so', async () => {
    const options = await project('metrics: { enabled: true },');
    const worker = start(['worker', '--port', '0'], options);
    const [, url = ''] = await worker.says(/"url":"([^"]+)".*"msg":"worker answers probes"/);
    await worker.says(/worker ready/);
    const notes = join(dir.path, 'notes.txt');
    await cli(['run', 'walk', '--set', 'steps=1', '--set', `notes=${notes}`], options);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'millrace_runs_ended_total{kind="pipeline",name="walk",outcome="completed"} 1',
    );
  });

  it('is not there otherwise', async () => {
    const worker = start(['worker', '--port', '0'], await project());
    const [, url = ''] = await worker.says(/"url":"([^"]+)".*"msg":"worker answers probes"/);
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });
});

describe('millrace server', () => {
  it('runs a worker, too, where MILLRACE_WORKER_ENABLED says so, and ends both', async () => {
    const options = await project(`worker: { shutdownGraceTime: '30s' }`);
    const env = { ...options.env, MILLRACE_WORKER_ENABLED: 'true' };
    const both = start(['server', '--port', '0'], { ...options, env });
    const [, url = ''] = await both.says(/"url":"([^"]+)".*"worker":true.*"msg":"server ready"/);
    expect(await statusOf(url)).toEqual([200, 'ready', 'running']);
    const notes = join(dir.path, 'notes.txt');
    expect(await post(`${url}/pipelines/walk`, { steps: 1, notes })).toMatchObject({
      status: 200,
      body: { result: { walked: 1 } },
    });
    const waiting = post(`${url}/pipelines/walk`, { steps: 600, notes });
    await until(async () => ((await notesOf(dir.path)).length === 2 ? true : undefined));

    const stopped = both.stop('SIGTERM');
    // Who waits is told where to look, and the operation ends within the grace time.
    expect(await waiting).toMatchObject({ status: 202 });
    await endWalk(dir.path);
    const { code, stdout } = await stopped;
    expect(code).toBe(0);
    expect(stdout).toMatch(/server stopped[\s\S]*worker stopped/);
    expect(await notesOf(dir.path)).toHaveLength(2);
  });

  it('runs none unless told to, so that its runs wait for one', async () => {
    const options = await project();
    const server = start(['server', '--port', '0'], options);
    const [, url = ''] = await server.says(/"url":"([^"]+)".*"worker":false/);
    expect(await statusOf(url)).toEqual([200, 'ready', undefined]);
    const notes = join(dir.path, 'notes.txt');
    const { body } = await post(`${url}/pipelines/walk/async`, { steps: 1, notes });
    const { status_url: status } = body as { readonly status_url: string };
    expect((await send(`${url}${status}`)).body).toMatchObject({ status: 'pending' });
    expect((await server.stop('SIGTERM')).code).toBe(0);
  });

  it('refuses a MILLRACE_WORKER_ENABLED that is neither true nor false', async () => {
    const options = await project();
    const env = { ...options.env, MILLRACE_WORKER_ENABLED: 'maybe' };
    const { code, stderr, stdout } = await cli(['server', '--port', '0'], { ...options, env });
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('MILLRACE_WORKER_ENABLED is "maybe". Write true or false');
  });
});

describe('millrace dev', () => {
  it('is ready when its worker is', async () => {
    const dev = start(['dev', '--port', '0'], await project());
    const [, url = ''] = await dev.says(/HTTP\s+(http:\S+)/);
    expect(await statusOf(url)).toEqual([200, 'ready', 'running']);
  });
});

describe('a worker that cannot close what it holds', () => {
  it('ends by its deadline all the same, and says so', async () => {
    const options = await project(
      `worker: { shutdownGraceTime: '200ms' }, disposeServices: () => new Promise(() => setInterval(() => 0, 1000)),`,
    );
    const worker = start(['worker'], options);
    await worker.says(/worker ready/);
    const { code, stderr } = await worker.stop('SIGTERM');
    expect(code).toBe(1);
    expect(stderr).toContain('the worker did not end within 9.2 s of being told to');
  });
});
