import { realpathSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import type { ConfigDefinition } from '../src/config/config.js';
import type { ProjectConfig } from '../src/config/project-config.js';
import type { Log } from '../src/pipeline/context.js';
import { DefinitionError } from '../src/definition/problem.js';
import { connectClient, type ConnectedClient } from './connection.js';
import { ProjectAttributes } from './attribute-pipeline/project-attributes.js';
import { ProjectFlows } from './data-flow/project-flows.js';
import { DeployedCode } from './deployed-code.js';
import { Engine, type EngineOptions } from './engine.js';
import { findTemporal } from './find-temporal.js';
import { loadProject, type Project } from './project/load-project.js';
import type { Environment } from './project/secrets.js';

/** What {@link createEngine} takes; everything has a default. */
export interface CreateEngineOptions {
  /** The project's folder; the working directory unless set. */
  readonly dir?: string;
  /** Wins over what the project's config says, option by option. */
  readonly config?: ConfigDefinition;
  /** A client to use, which stays open when the engine is closed; unless set, one is connected. */
  readonly client?: Client;
  /** The environment to read `TEMPORAL_*` and `${ENV}` from; that of the process unless set. */
  readonly env?: Environment;
}

/** An engine with a connection of its own. */
export class ConnectedEngine extends Engine {
  /** The configuration of the project that it was created for. */
  readonly config?: ProjectConfig;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(options: EngineOptions, close: () => Promise<void>, config?: ProjectConfig) {
    super(options);
    this.#close = close;
    if (config !== undefined) this.config = config;
  }

  /** Closes the connection. Runs go on. May be called more than once. */
  async close(): Promise<void> {
    await (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * An engine for the project in a folder: loads its definitions and connects to its Temporal server, which is the
 * configured one (`temporal` in the config, `TEMPORAL_*`, `temporal.toml`), else that of the `millrace dev` which runs in
 * the folder. Runs are executed by the project's workers, not by this process.
 *
 * @example
 * ```ts
 * const engine = await createEngine();
 * const { result } = await engine.execute('word-report', { text: 'one two' });
 * await engine.close();
 * ```
 *
 * @throws {@link DefinitionError} with every problem of the project, {@link TemporalUnreachable},
 *   {@link TemporalRefused}, {@link NamespaceNotFound}, {@link NoTemporalServer}
 */
export async function createEngine(options: CreateEngineOptions = {}): Promise<ConnectedEngine> {
  const { dir = process.cwd(), env = process.env, config, client } = options;
  const { project, problems } = await loadProject(dir, {
    env,
    ...(config !== undefined && { config }),
  });
  if (project === undefined) throw new DefinitionError(problems);
  return client === undefined
    ? connectEngine(project, env)
    : connected(project, env, { client, close: () => Promise.resolve() });
}

/** An engine for a project that was loaded already. Throws what {@link createEngine} throws for the connection. */
export async function connectEngine(project: Project, env: Environment): Promise<ConnectedEngine> {
  const settings = await findTemporal(realpathSync(project.dir), project.config.temporal, env);
  return connected(project, env, await connectClient(settings), settings.uiUrl);
}

function connected(
  project: Project,
  env: Environment,
  { client, close }: ConnectedClient,
  uiUrl?: string,
): ConnectedEngine {
  const { dir, config, registry } = project;
  const code = new DeployedCode(registry);
  const flows = new ProjectFlows({
    dir,
    config,
    env,
    client,
    taskQueue: config.asyncQueue,
    flows: () => code.registry.dataFlows,
    log: SILENT,
  });
  const { asyncQueue: taskQueue } = config;
  const attributes = new ProjectAttributes({
    client,
    taskQueue,
    code,
    models: () => [...project.models.keys()],
    settings: config.attributes,
    schedules: true,
    log: SILENT,
    catalog: () => flows.catalog(),
  });
  const options: EngineOptions = {
    client,
    taskQueue: config.asyncQueue,
    code,
    dataFlows: () => flows.open(),
    attributes: () => attributes.open(),
    afterExecute: config.afterExecute !== undefined,
    ...(uiUrl !== undefined && { uiUrl }),
  };
  const closeAll = async (): Promise<void> => {
    await attributes.close();
    await flows.close();
    await close();
  };
  return new ConnectedEngine(options, closeAll, config);
}

/** What an engine has to tell it tells by what it throws. */
const SILENT: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Nobody has asked to be told.
}
