import { afterEach } from '@jest/globals';
import { Client } from '@temporalio/client';
import pino, { type Logger } from 'pino';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ConnectedEngine } from '../../engine/create-engine.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import { ProjectFlows } from '../../engine/data-flow/project-flows.js';
import { DeployedCode } from '../../engine/deployed-code.js';
import { STATE_FOLDER } from '../../engine/dev-server/dev-record.js';
import { loadProject, type Project } from '../../engine/project/load-project.js';
import { buildRegistry } from '../../engine/registry.js';
import { type ConfigDefinition } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/project-config.js';
import type { DataFlow } from '../../src/data-flow/data-flow.js';
import { formatProblem } from '../../src/definition/problem.js';
import { BUILT_IN_OPERATIONS } from '../../src/pipeline/built-in/catalog.js';
import { ReloadableWorker } from '../../worker/project-worker.js';
import { workflowBundle } from '../../worker/workflow-bundle.js';
import { writeProject, type ProjectFiles } from './project.js';
import { sharedLink, testLogger, uniqueTaskQueue, type TestTemporal } from './temporal.js';

/** What a stack runs: flows that the test has in its hands, or the files of a project. */
export interface FlowStackOptions {
  /** Their names must be unique, see `uniqueFlow`: ids of runs are made of them, and all tests share a namespace. */
  readonly flows?: readonly DataFlow[];
  readonly files?: ProjectFiles;
  /** Where the catalog is; a SQLite file in the folder unless given. */
  readonly database?: string;
  readonly config?: ConfigDefinition;
  /** False: nothing runs, as in a process that only serves. Nothing does beside another stack, either. */
  readonly worker?: boolean;
  /** Another process of this one: the same folder, catalog and task queue. */
  readonly beside?: FlowStack;
  readonly log?: Logger;
  /** Where a Temporal UI is; nowhere unless given. */
  readonly uiUrl?: string;
}

/** A process with data flows: an engine, its catalog, and a worker. */
export interface FlowStack {
  readonly dir: string;
  readonly project: Project;
  readonly engine: ConnectedEngine;
  readonly flows: DataFlows;
  /** Undefined where the test wants none. */
  readonly worker: ReloadableWorker | undefined;
  /** Stops the worker, removes schedules and closes the catalog. Called after each test, too. */
  stop(): Promise<void>;
}

/**
 * Gives each test processes with data flows, on the Temporal server that all tests share: `const { engine } = await start({ flows })`.
 * No schedule is created unless the test asks for one; the catalog knows the flows when they are first asked for.
 */
export function useFlowStack(
  temporal: TestTemporal,
): (options: FlowStackOptions) => Promise<FlowStack> {
  const running: FlowStack[] = [];
  const folders: string[] = [];
  afterEach(async () => {
    // The first one owns the catalog that others have open.
    for (const stack of running.splice(0).reverse()) await stack.stop();
    for (const dir of folders.splice(0)) await rm(dir, { recursive: true, force: true });
  });
  return async (options) => {
    const dir = options.beside?.dir ?? (await mkdtemp(join(tmpdir(), 'millrace-flows-')));
    folders.push(dir);
    const stack = await startStack(temporal, dir, options);
    running.push(stack);
    return stack;
  };
}

async function startStack(
  temporal: TestTemporal,
  dir: string,
  options: FlowStackOptions,
): Promise<FlowStack> {
  const { log = pino({ level: 'silent' }) } = options;
  if (options.worker !== false && options.beside === undefined) await copyBundle(dir);
  const project = await projectOf(dir, options);
  const { engine, close } = engineOf(temporal, project, options.uiUrl);
  const worker =
    options.worker === false || options.beside !== undefined
      ? undefined
      : await ReloadableWorker.create({
          project,
          link: sharedLink(temporal),
          log,
          env: {},
          schedules: false,
          shutdownGraceMs: 1_000,
        });
  const ended = worker?.run();
  const flows = await engine.dataFlows();
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await worker?.stop();
    await ended;
    for (const name of project.registry.dataFlows.keys()) await flows.schedules.remove(name);
    await close();
  };
  return { dir, project, engine, flows, worker, stop: () => (stopping ??= stop()) };
}

/** The workflow code of data flows is the same in all tests: bundling it once takes long enough. */
async function copyBundle(dir: string): Promise<void> {
  const file = await workflowBundle({
    files: [],
    cacheDir: join(tmpdir(), 'millrace-test-bundles'),
    logger: testLogger,
  });
  const bundles = join(dir, STATE_FOLDER, 'bundles');
  await mkdir(bundles, { recursive: true });
  await copyFile(file, join(bundles, basename(file)));
}

function engineOf(
  { connection, namespace }: TestTemporal,
  { dir, config, registry }: Project,
  uiUrl: string | undefined,
): { readonly engine: ConnectedEngine; readonly close: () => Promise<void> } {
  const client = new Client({ connection, namespace });
  const code = new DeployedCode(registry);
  const { asyncQueue: taskQueue } = config;
  const log = pino({ level: 'silent' });
  const flows = new ProjectFlows({
    dir,
    config,
    env: {},
    client,
    taskQueue,
    flows: () => code.registry.dataFlows,
    log,
  });
  const close = (): Promise<void> => flows.close();
  const links = uiUrl !== undefined && { uiUrl };
  const options = { client, taskQueue, code, dataFlows: () => flows.open(), ...links };
  return { engine: new ConnectedEngine(options, close, config), close };
}

async function projectOf(
  dir: string,
  { flows = [], files, database, config: given, beside }: FlowStackOptions,
): Promise<Project> {
  const over: ConfigDefinition = {
    catchAllRoutes: true,
    ...given,
    asyncQueue: beside?.project.config.asyncQueue ?? uniqueTaskQueue('flows'),
    catalog: { url: database ?? `sqlite:${join(dir, 'catalog.db')}` },
  };
  if (files !== undefined) {
    const loaded = await loadProject(await writeProject(dir, files), { env: {}, config: over });
    if (loaded.project !== undefined) return loaded.project;
    throw new Error(loaded.problems.map(formatProblem).join('\n'));
  }
  const { config, problems } = parseConfig(over);
  const built = buildRegistry({
    operations: BUILT_IN_OPERATIONS,
    pipelines: [],
    workflows: [],
    dataFlows: flows.map((definition) => ({ definition, locate: () => definition.site })),
    models: new Map(),
    readFile: () => undefined,
  });
  if (config === undefined || built.registry === undefined)
    throw new Error([...problems, ...built.problems].map(formatProblem).join('\n'));
  const { registry } = built;
  return { dir, config, registry, models: new Map(), workflowFiles: [], configFiles: [] };
}

/** A log whose lines the test gets, parsed. */
export function collecting(lines: unknown[]): Logger {
  return pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
}
