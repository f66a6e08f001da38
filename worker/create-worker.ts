import pino from 'pino';
import type { Logger } from '../activities/dependencies.js';
import { findTemporal } from '../engine/find-temporal.js';
import { connectWorkerClient, installRuntime } from '../engine/native-connection.js';
import { loadProject, type Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import { raiseRetention } from '../engine/retention.js';
import type { ConfigDefinition } from '../src/config/config.js';
import { DefinitionError } from '../src/definition/problem.js';
import { ReloadableWorker, type ProjectWorker } from './project-worker.js';
import { temporalLogger } from './temporal-logger.js';

/** What {@link createWorker} takes; everything has a default. */
export interface CreateWorkerOptions {
  /** The project's folder; the working directory unless set. */
  readonly dir?: string;
  /** Wins over what the project's config says, option by option. */
  readonly config?: ConfigDefinition;
  /** The environment to read `TEMPORAL_*` and `${ENV}` from; that of the process unless set. */
  readonly env?: Environment;
  /** Gets every line, those of Temporal's SDK too; a pino logger fits. Unless set: warnings and errors, to standard error. */
  readonly log?: Logger;
}

/**
 * A worker for the project in a folder, as `millrace worker` has it: loads its definitions, connects to its Temporal
 * server (found as by `createEngine`), builds its services and models, and bundles its workflow code. It takes work when
 * `run()` is called, and until `stop()` is. Signals are left to the caller.
 *
 * Each worker has a connection of its own. One is enough for a process: JavaScript runs on one core.
 *
 * @example
 * ```ts
 * const worker = await createWorker();
 * process.once('SIGTERM', () => void worker.stop());
 * await worker.run();
 * ```
 *
 * @throws {@link DefinitionError} with every problem of the project, {@link TemporalUnreachable},
 *   {@link TemporalRefused}, {@link NamespaceNotFound}, {@link NoTemporalServer}, {@link UnresolvedReferences}, {@link ServicesFailed}
 */
export async function createWorker(options: CreateWorkerOptions = {}): Promise<ProjectWorker> {
  const { dir = process.cwd(), env = process.env, log = warnings(), config } = options;
  const { project, problems } = await loadProject(dir, {
    env,
    ...(config !== undefined && { config }),
  });
  if (project === undefined) throw new DefinitionError(problems);
  return connectWorker(project, { env, log });
}

/** A worker for a project that was loaded already. Throws what {@link createWorker} throws for all that is not the project. */
export async function connectWorker(
  project: Project,
  { env, log }: { readonly env: Environment; readonly log: Logger },
): Promise<ProjectWorker> {
  installRuntime(temporalLogger(log));
  const settings = await findTemporal(project.dir, project.config.temporal, env);
  const link = await connectWorkerClient(settings);
  try {
    await raiseRetention(link.client, project.config.executionRetentionMs, log);
    return await ReloadableWorker.create({ project, link, log, env });
  } catch (error) {
    await link.close().catch(() => undefined);
    throw error;
  }
}

function warnings(): Logger {
  return pino({ level: 'warn' }, pino.destination(2));
}
