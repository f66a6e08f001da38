import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { cli, useCli } from '../support/cli.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import {
  config,
  endWalk,
  notesOf,
  post,
  WALK,
  WALK_PIPELINE,
  walked,
  walkedOn,
} from './fixtures.js';

jest.setTimeout(90_000);

const dir = useProjectDirectory();
const start = useCli();

/** A project on the shared server, with a task queue of its own. */
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

describe('millrace server and millrace worker', () => {
  it('run a pipeline together, each in a process of its own, and stop in order', async () => {
    const options = await project();
    const server = start(['server', '--port', '0'], options);
    const [, url = ''] = await server.says(/"url":"([^"]+)".*"msg":"server ready"/);
    const worker = start(['worker'], options);
    await worker.says(/"definitions":\["walk"\].*"msg":"worker ready"/);
    const answer = await post(`${url}/pipelines/walk`, {
      steps: 2,
      notes: join(dir.path, 'notes.txt'),
    });
    expect(answer).toMatchObject({ status: 200, body: { result: { walked: 2 } } });
    await worker.says(/"msg":"pipe completed"/);
    expect((await worker.stop('SIGTERM')).code).toBe(0);
    expect((await server.stop('SIGTERM')).code).toBe(0);
  });

  it('say when no pipeline has a route', async () => {
    const options = await project();
    await writeProject(dir.path, {
      'millrace.config.ts': `import { defineConfig } from 'millrace';\nexport default defineConfig({});\n`,
    });
    const server = start(['server', '--port', '0'], options);
    await server.says(
      /"msg":"No pipeline has a route: set catchAllRoutes: true, or name some in routes/,
    );
    expect((await server.stop('SIGTERM')).code).toBe(0);
  });

  it('hand work back on SIGTERM: another worker goes on from the checkpoint', async () => {
    const options = await project(`worker: { shutdownGraceTime: '500ms' }`);
    const first = start(['worker'], options);
    await first.says(/worker ready/);
    const notes = join(dir.path, 'notes.txt');
    const walking = cli(['run', 'walk', '--set', 'steps=600', '--set', `notes=${notes}`], options);
    const second = start(['worker'], options);
    await walked(dir.path, 10);
    await second.says(/worker ready/);
    const stopped = await first.stop('SIGTERM');
    expect(stopped).toMatchObject({ code: 0 });
    expect(stopped.stdout).toContain('worker stopped');

    const [before, after] = await walkedOn(dir.path);
    expect(before).toMatchObject({ attempt: 1, pid: first.pid, from: 0 });
    expect(after).toMatchObject({ attempt: 1, pid: second.pid });
    expect(after.from).toBeGreaterThanOrEqual(10);
    await walked(dir.path, after.from + 5);
    await endWalk(dir.path);
    const { walked: steps } = JSON.parse((await walking).stdout) as { readonly walked: number };
    expect(steps).toBeGreaterThanOrEqual(after.from + 5);
    expect(await notesOf(dir.path)).toHaveLength(2);
  });

  it('let an operation finish within the grace time', async () => {
    const options = await project(`worker: { shutdownGraceTime: '20s' }`);
    const worker = start(['worker'], options);
    await worker.says(/worker ready/);
    const walking = cli(
      [
        'run',
        'walk',
        '--set',
        'steps=20',
        '--set',
        `notes=${join(dir.path, 'notes.txt')}`,
        '--detach',
      ],
      options,
    );
    await walking;
    await worker.says(/pipe started/);
    expect((await worker.stop('SIGTERM')).code).toBe(0);
    expect(await notesOf(dir.path)).toHaveLength(1);
    const shown = await cli(['show', (await walking).stdout.trim(), '--json'], options);
    expect(shown.stdout).toMatch(/"durationMs": 2\d{3}/);
  });

  it('refuse to start a worker that lacks a secret, and name it', async () => {
    const options = await project();
    await writeProject(dir.path, {
      'config.yml':
        'models:\n  fast: { provider: openai, model: small, options: { api_key: "secret://openai/key" } }\n',
    });
    const { code, stderr } = await cli(['worker'], options);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'There is no secret "openai/key": set the environment variable OPENAI_KEY',
    );
  });

  it('refuse to listen where others reach it without authentication', async () => {
    const options = await project();
    const { code, stderr } = await cli(['server', '--host', '0.0.0.0', '--port', '0'], options);
    expect(code).toBe(2);
    expect(stderr).toContain('--insecure');
    const server = start(['server', '--host', '0.0.0.0', '--port', '0', '--insecure'], options);
    await server.says(/server ready/);
  });

  it('say which namespace there is not', async () => {
    const { cwd, env } = await project();
    const { code, stderr } = await cli(['worker'], {
      cwd,
      env: { ...env, TEMPORAL_NAMESPACE: 'nowhere' },
    });
    expect(code).toBe(3);
    expect(stderr).toContain('has no namespace "nowhere"');
  });
});
