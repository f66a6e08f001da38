import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll } from '@jest/globals';
import { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { transform } from 'esbuild';
import { ulid } from 'ulid';
import { findFreePort } from '../../engine/dev-server/free-port.js';
import { shareBundles } from '../support/project-directory.js';
import { writeProject, type ProjectFiles } from '../support/project.js';
import type { TestTemporal } from '../support/temporal.js';
import { ROOT } from './page.js';

/** The command line as it is built: `npm test` builds it first. */
export const MILLRACE = join(ROOT, 'dist/cli/main.js');

/** Packages that the code of pages imports, beside Millrace itself. */
const PACKAGES = [
  '@koa/cors',
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace-node',
  '@temporalio/workflow',
  '@types/node',
  'csv-parse',
  'eventsource-parser',
  'express',
  'graphile-worker',
  'koa',
  'standardwebhooks',
  'zod',
];

/** Longest start of a process. */
const START_MS = 30_000;

/** A project of a page in a folder of its own, and the processes that a reader would start in it. */
export interface RunningProject {
  readonly dir: string;
  /** A client of the namespace in which all of the project's runs are. */
  readonly client: Client;
  /** `npx millrace worker`. */
  worker(env?: Environment): Promise<void>;
  /** `npx millrace server`. @returns its URL */
  server(env?: Environment): Promise<string>;
  /** `node app.ts`, which listens on `PORT`. @returns its URL */
  app(file: string, env?: Environment): Promise<string>;
  /** What its workers, servers and apps have printed so far. */
  printed(): string;
  /** `node report.ts`, which ends. @returns what it printed */
  script(file: string): Promise<string>;
}

type Environment = Readonly<Record<string, string>>;

/**
 * Projects for the tests of a file, with a namespace that only they use: a worker of another test could otherwise take
 * their work. Their processes are real ones, of the package as it is built; they end after the file's last test.
 */
export function useRunningProjects(
  temporal: TestTemporal,
): (files: ProjectFiles) => Promise<RunningProject> {
  const namespace = `docs-${ulid().toLowerCase()}`;
  const running: ChildProcess[] = [];
  const dirs: string[] = [];
  beforeAll(async () => {
    await createNamespace(temporal, namespace);
  }, START_MS);
  afterAll(async () => {
    await Promise.all(running.map(end));
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  }, START_MS);
  return async (files) => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-docs-')));
    dirs.push(dir);
    await writeProject(dir, { 'package.json': '{ "type": "module" }', ...files });
    linkPackages(dir);
    await shareBundles(dir);
    const output: string[] = [];
    const env = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: namespace };
    const client = new Client({ connection: temporal.connection, namespace });
    return { dir, client, ...processes({ dir, env, running, output }) };
  };
}

interface Place {
  readonly dir: string;
  readonly env: Environment;
  readonly running: ChildProcess[];
  readonly output: string[];
}

function processes(place: Place): Omit<RunningProject, 'dir' | 'client'> {
  return {
    printed: () => place.output.join(''),
    worker: async (env) => {
      await started(place, [MILLRACE, 'worker'], /worker ready/, env);
    },
    server: async (env) => {
      const line = await started(
        place,
        [MILLRACE, 'server', '--port', '0'],
        /^.*server ready.*$/m,
        env,
      );
      return (JSON.parse(line) as { url: string }).url;
    },
    app: async (file, env) => {
      const port = await findFreePort('127.0.0.1', 0);
      const url = `http://127.0.0.1:${String(port)}`;
      start(place, [await compiled(place.dir, file)], { PORT: String(port), ...env });
      await untilAnswered(url);
      return url;
    },
    script: async (file) => {
      const child = start(place, [await compiled(place.dir, file)]);
      let printed = '';
      child.stdout?.on('data', (text: string) => (printed += text));
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`${file} ended with ${String(code)}:\n${printed}`);
      return printed;
    },
  };
}

function start(
  { dir, env, running, output }: Place,
  args: readonly string[],
  more: Environment = {},
): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: dir,
    env: { ...process.env, ...env, ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  return child;
}

/** Starts a process and waits until it has printed something. @returns what matched */
async function started(
  place: Place,
  args: readonly string[],
  ready: RegExp,
  env?: Environment,
): Promise<string> {
  const child = start(place, args, env);
  let printed = '';
  child.stdout?.on('data', (text: string) => (printed += text));
  const deadline = Date.now() + START_MS;
  for (;;) {
    const match = ready.exec(printed);
    if (match !== null) return match[0];
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`not started:\n${printed}`);
    await delay(20);
  }
}

async function untilAnswered(url: string): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (
    !(await fetch(url).then(
      () => true,
      () => false,
    ))
  ) {
    if (Date.now() > deadline) throw new Error(`nothing answers at ${url}`);
    await delay(50);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exited;
  clearTimeout(late);
}

/** What a reader's own build does, or newer versions of Node. @returns the path of the module */
export async function compiled(dir: string, file: string): Promise<string> {
  const { code } = await transform(await readFile(join(dir, file), 'utf8'), {
    loader: 'ts',
    format: 'esm',
  });
  const path = join(dir, file.replace(/\.ts$/, '.js'));
  writeFileSync(path, code);
  return path;
}

/** Puts packages there, as `npm install` would have done. */
export function linkPackages(dir: string): void {
  const link = (name: string, target: string): void => {
    const path = join(dir, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  link('millrace', ROOT);
  for (const name of PACKAGES) link(name, join(ROOT, 'node_modules', name));
}

async function createNamespace({ connection }: TestTemporal, namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  // The server's own parts learn of it one after the other.
  const deadline = Date.now() + START_MS;
  const known = (): Promise<boolean> =>
    connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 }).then(
      () => true,
      () => false,
    );
  while (!(await known())) {
    if (Date.now() > deadline) throw new Error(`the namespace ${namespace} is not there`);
    await delay(100);
  }
}
