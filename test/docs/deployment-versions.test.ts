import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { findFreePort } from '../../engine/dev-server/free-port.js';
import { serverArguments, serverEnvironment } from '../../engine/dev-server/server-arguments.js';
import { findTemporalCli } from '../../engine/dev-server/temporal-cli.js';
import { cli, useCli, type CliOptions, type CliProcess, type CliResult } from '../support/cli.js';
import { shareBundles } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { blocksOf, projectOf } from './page.js';
import { linkPackages } from './running-project.js';

jest.setTimeout(180_000);

const PAGE = 'docs/deployment.md';

/** Temporal would look every few minutes. */
const SOON = ['RefreshInterval', 'VisibilityGracePeriod'].flatMap((name) => [
  '--dynamic-config-value',
  `matching.wv.VersionDrainageStatus${name}="1s"`,
]);

/** Says which build runs it, and waits for a file to be there. It looks at its signal, and is handed over when it is cut. */
const STAMP = (build: string): string => `import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineOperation } from 'millrace';
import { z } from 'zod';

const stamp = (name) => defineOperation({
  name,
  reads: z.object({ gate: z.string() }),
  sets: z.object({ [name]: z.string() }),
  timeout: '2 minutes',
  run: async ({ input: { gate }, signal }) => {
    appendFileSync(gate + '.begun', '${build} ' + name + '\\n');
    while (!existsSync(gate)) await pause(50, undefined, { signal });
    return { [name]: '${build}' };
  },
});

export const one = stamp('one');
export const two = stamp('two');
`;

const BUILDS = `name: builds
timeout: 3 minutes
stages:
  - { name: one, operations: [one] }
  - { name: two, operations: [two] }
`;

const dir = useTemporaryDirectory();
const start = useCli();

function commandOf(mark: string): string {
  const code = blocksOf(PAGE).find(({ marks }) => marks[mark] !== undefined)?.code ?? '';
  const line = code.split('\n').find((one) => one.startsWith('temporal '));
  if (line === undefined) throw new Error(`${PAGE} has no command in the block "${mark}"`);
  return line;
}

describe(`${PAGE}: a deploy with versions`, () => {
  let server: ChildProcess;
  let temporal = '';
  let env: Record<string, string> = {};

  beforeEach(async () => {
    ({ path: temporal } = await findTemporalCli());
    const port = await findFreePort('127.0.0.1', 0);
    const settings = {
      ip: '127.0.0.1',
      port,
      uiPort: undefined,
      namespace: 'default',
      databaseFile: undefined,
      searchAttributes: {},
    };
    server = spawn(temporal, [...serverArguments(settings), ...SOON], {
      env: serverEnvironment(process.env),
      stdio: 'ignore',
    });
    env = { TEMPORAL_ADDRESS: `127.0.0.1:${String(port)}` };
    await until(
      async () => ((await typed('temporal operator cluster health')).code === 0 ? true : undefined),
      30_000,
    );
  }, 60_000);

  afterEach(async () => {
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  });

  /** Runs a command of the page as it is typed. */
  const typed = (line: string): Promise<CliResult> =>
    cli(line.split(' ').slice(1), { cwd: dir.path, env, program: temporal });

  /** Until it is done: the server's own parts learn of a version one after the other. */
  const typedUntilDone = async (line: string): Promise<void> => {
    await until(async () => ((await typed(line)).code === 0 ? true : undefined), 30_000);
  };

  /** The project of the page with the code of a build, in a folder of its own. */
  const deploy = async (build: string): Promise<CliOptions> => {
    const cwd = await writeProject(join(dir.path, build), {
      ...projectOf(PAGE, 'versions'),
      'config/millrace/base/worker.toml': '[worker]\nshutdown_grace_time = "500ms"\n',
      'operations/stamp.ts': STAMP(build),
      'pipelines/builds.yml': BUILDS,
    });
    linkPackages(cwd);
    await shareBundles(cwd);
    return { cwd, env: { ...env, BUILD_ID: build } };
  };

  const startWorker = async (options: CliOptions): Promise<CliProcess> => {
    const worker = start(['worker'], options);
    await worker.says(/worker ready/);
    return worker;
  };

  const begun = async (gate: string, ...what: readonly string[]): Promise<void> => {
    await until(async () => {
      const text = await readFile(`${gate}.begun`, 'utf8').catch(() => '');
      return text.trim().split('\n').join() === what.join() ? true : undefined;
    }, 30_000);
  };

  it('keeps runs on their build over restarts of its workers, begins others on the new one, and tells when the old one can go', async () => {
    const [older, newer] = [await deploy('41'), await deploy('42')];
    const promote = commandOf('promote');
    expect(promote).toContain('--build-id 42');
    const old = await startWorker(older);
    await typedUntilDone(promote.replace('42', '41'));
    const gate = join(dir.path, 'gate');
    const runBuilds = (file: string, ...more: readonly string[]): Promise<CliResult> =>
      cli(['run', 'builds', '--set', `gate=${file}`, ...more], newer);
    const { stdout: id } = await runBuilds(gate, '--detach');
    await begun(gate, '41 one');

    const fresh = await startWorker(newer);
    await typedUntilDone(promote);
    const open = join(dir.path, 'open');
    await writeFile(open, '');
    expect(JSON.parse((await runBuilds(open)).stdout)).toMatchObject({ one: '42', two: '42' });
    const describe = commandOf('drained');
    const status = async (): Promise<string> => (await typed(describe)).stdout;
    await until(async () => (/DrainageStatus\s+draining/.test(await status()) ? true : undefined));

    // What it hands over waits for the next worker of the same build.
    expect((await old.stop('SIGTERM')).code).toBe(0);
    const again = await startWorker(older);
    await begun(gate, '41 one', '41 one');
    await writeFile(gate, '');
    const ended = await until(async () => {
      const { stdout } = await cli(['show', id.trim(), '--json'], newer);
      const shown = JSON.parse(stdout) as { readonly status: string; readonly result: unknown };
      return shown.status === 'running' ? undefined : shown;
    }, 30_000);
    expect(ended).toMatchObject({ status: 'completed', result: { one: '41', two: '41' } });
    await until(
      async () => (/DrainageStatus\s+drained/.test(await status()) ? true : undefined),
      60_000,
    );

    expect((await again.stop('SIGTERM')).code).toBe(0);
    expect(JSON.parse((await runBuilds(open)).stdout)).toMatchObject({ one: '42' });
    expect((await fresh.stop('SIGTERM')).code).toBe(0);
  });

  it('moves a run whose build has nobody any more to the current one', async () => {
    const [older, newer] = [await deploy('41'), await deploy('42')];
    const promote = commandOf('promote');
    const old = await startWorker(older);
    await typedUntilDone(promote.replace('42', '41'));
    const gate = join(dir.path, 'gate');
    const { stdout } = await cli(['run', 'builds', '--set', `gate=${gate}`, '--detach'], newer);
    const id = stdout.trim();
    await begun(gate, '41 one');
    expect((await old.stop('SIGTERM')).code).toBe(0);
    const fresh = await startWorker(newer);
    await typedUntilDone(promote);
    const move = commandOf('move').replace(/--workflow-id \S+/, `--workflow-id ${id}`);
    expect(await typed(move)).toMatchObject({ code: 0 });
    await writeFile(gate, '');
    const ended = await until(async () => {
      const shown = JSON.parse((await cli(['show', id, '--json'], newer)).stdout) as {
        readonly status: string;
      };
      return shown.status === 'running' ? undefined : shown;
    }, 30_000);
    expect(ended).toMatchObject({ status: 'completed', result: { one: '42', two: '42' } });
    expect((await fresh.stop('SIGTERM')).code).toBe(0);
  });
});
