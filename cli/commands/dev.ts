import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { Logger } from 'pino';
import { DevRecordFile, STATE_FOLDER } from '../../engine/dev-server/dev-record.js';
import { installRuntime } from '../../engine/native-connection.js';
import type { Project } from '../../engine/project/load-project.js';
import { isDirectory } from '../../engine/project/project-files.js';
import { temporalLogger } from '../../worker/temporal-logger.js';
import { banner } from '../dev/banner.js';
import { DiskWatch, explainedByFullDisk } from '../dev/disk-space.js';
import { DevSession, type DevSessionOptions } from '../dev/dev-session.js';
import { ProjectReloads } from '../dev/project-reloads.js';
import { StartProgress } from '../dev/start-progress.js';
import { waitingRuns } from '../dev/waiting-runs.js';
import { EXIT, UsageError } from '../exit-code.js';
import { HeldOutput } from '../held-output.js';
import { aborted, onInterruption } from '../interruption.js';
import { addListenOptions, parsePort, portOf, type ListenOptions } from '../listen-options.js';
import { createLogger } from '../logger.js';
import { projectDir } from '../project.js';

interface DevOptions extends ListenOptions {
  readonly dir?: string;
  readonly uiPort?: number;
  readonly ui: boolean;
}

const EXAMPLES = `
Runs everything in one process: a Temporal dev server with its web UI (unless TEMPORAL_ADDRESS or temporal.toml names a
server), a worker and the HTTP server. Its state is kept in .millrace/ of the project, so runs survive a restart. Changes
of definitions are taken over when they are saved; what is wrong with them is told, and what ran before goes on.

Busy ports: the next free one is taken. Ctrl-C stops in order, a second one at once.

Examples:
  $ millrace dev
  $ millrace dev --dir examples/quickstart --port 9000
`;

/** Adds `dev`: everything in one process. */
export function addDevCommand(program: Command): void {
  const command = program
    .command('dev')
    .summary('run everything in one process, and reload what changes')
    .description('Runs the project in this process: Temporal, a worker, the HTTP API.')
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)");
  addListenOptions(command)
    .option(
      '--ui-port <n>',
      'port of the Temporal UI; 0 takes a free one (default: 8233)',
      parsePort,
    )
    .option('--no-ui', 'no Temporal UI')
    .addHelpText('after', EXAMPLES)
    .action(async (options: DevOptions) => {
      const directory = projectDir(options.dir);
      try {
        process.exitCode = await dev(directory, options);
      } catch (error) {
        throw await explainedByFullDisk(join(directory, STATE_FOLDER), error);
      }
    });
}

async function dev(directory: string, options: DevOptions): Promise<number> {
  if (!isDirectory(directory))
    throw new UsageError(`There is no folder ${directory}. Name the folder of a project: --dir.`);
  const dir = realpathSync(directory);
  const interruption = onInterruption();
  const { signal } = interruption;
  const startedAt = new Date();
  const record = await DevRecordFile.claim(dir);
  const reloads = new ProjectReloads(dir);
  try {
    const project = await reloads.untilRight(signal);
    if (project === undefined) return EXIT.ok;
    const held = new HeldOutput(process.stderr);
    const log = createLogger({
      debug: project.config.debug,
      env: process.env,
      stream: process.stderr,
      through: held,
    });
    const session = await startSession(project, options, log, signal).catch((error: unknown) => {
      held.release();
      throw error;
    });
    const disk = new DiskWatch(join(dir, STATE_FOLDER), log);
    try {
      await record.note(addressesOf(session));
      process.stdout.write(screen(project, session, options));
      held.release();
      reloads.into(session, log);
      void tellWaitingRuns(session, { startedAt, workerLost: record.previousLost }, log);
      await Promise.race([aborted(signal), session.failed]);
    } finally {
      process.stdout.write(pc.dim('\n  Stopping. Runs in progress continue at the next start.\n'));
      disk.close();
      await reloads.close();
      await session.stop();
    }
    return EXIT.ok;
  } catch (error) {
    // What was under way when Ctrl-C came fails for that reason.
    if (signal.aborted) return interruption.exitCode;
    throw error;
  } finally {
    await reloads.close();
    await record.remove();
    interruption.dispose();
  }
}

async function startSession(
  project: Project,
  options: DevOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<DevSession> {
  const { host, insecure, ui, uiPort } = options;
  const { env } = process;
  const port = portOf(options, project.config);
  const progress = new StartProgress(process.stderr);
  installRuntime(temporalLogger(log));
  const sessionOptions: DevSessionOptions = {
    project,
    log,
    env,
    port,
    insecure,
    // Who asks for any HTTP port does not care for the others either.
    anyPort: port === 0,
    onProgress: (message) => progress.say(message),
    signal,
    ...(host !== undefined && { host }),
    ...(ui ? uiPort !== undefined && { uiPort } : { uiPort: false as const }),
  };
  try {
    return await DevSession.start(sessionOptions);
  } finally {
    progress.end();
  }
}

/** Says which runs were in progress before. Only news: what goes wrong with it is none. */
async function tellWaitingRuns(
  { engine, taskQueue }: DevSession,
  { startedAt, workerLost }: { readonly startedAt: Date; readonly workerLost: boolean },
  log: Logger,
): Promise<void> {
  try {
    const query = { taskQueue, before: startedAt, workerLost };
    const line = await waitingRuns(engine.temporal.client, query);
    if (line !== undefined) log.info(line);
  } catch (error) {
    log.debug({ err: error }, 'runs in progress could not be listed');
  }
}

function addressesOf({
  httpUrl,
  temporal,
  taskQueue,
}: DevSession): Parameters<DevRecordFile['note']>[0] {
  const { address, namespace, uiUrl } = temporal.settings;
  const embedded = temporal.embedded !== undefined;
  return {
    httpUrl,
    taskQueue,
    temporal: { address, namespace, embedded, ...(uiUrl !== undefined && { uiUrl }) },
  };
}

function screen(
  project: Project,
  { httpUrl, httpPort, temporal, taskQueue }: DevSession,
  options: DevOptions,
): string {
  const wanted = portOf(options, project.config);
  const busyPort = wanted === 0 || wanted === httpPort ? undefined : wanted;
  return banner({ project, temporal, httpUrl, busyPort, insecure: options.insecure, taskQueue });
}
