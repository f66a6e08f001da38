import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { Project } from '../../engine/project/load-project.js';
import type { HttpServer } from '../../server/http-listener.js';
import { metricsRoute, probeRoutes, startWorkerHttp } from '../../server/worker-http.js';
import { EXIT } from '../exit-code.js';
import { aborted, onInterruption } from '../interruption.js';
import { parsePort } from '../listen-options.js';
import { createLogger } from '../logger.js';
import { projectDir, requireProject } from '../project.js';
import { WorkerProcess } from '../worker-process.js';

const EXAMPLES = `
Uses the Temporal server of TEMPORAL_ADDRESS, temporal.toml or millrace.config.ts, else that of the \`millrace dev\` that
runs in the folder. Start as many as there is work for.

With a port it answers GET /health (it is there) and GET /ready (it takes work and reaches Temporal; 503 before and after), and
with \`metrics.enabled\` GET /metrics for Prometheus.

On SIGTERM or Ctrl-C it takes no more work and lets operations finish for \`worker.shutdownGraceTime\` (30 s); what is left
is cancelled and handed to another worker. A second signal ends it at once.

Examples:
  $ TEMPORAL_ADDRESS=temporal.internal:7233 millrace worker
  $ TEMPORAL_ADDRESS=temporal.internal:7233 millrace worker --host 0.0.0.0 --port 9090
`;

interface WorkerCommandOptions {
  readonly dir?: string;
  readonly host?: string;
  readonly port?: number;
}

/** Adds `worker`: a process that runs the project's operations. */
export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .summary('run a worker on a Temporal server that is there already')
    .description(
      "Runs a worker: the process that executes the project's pipelines, data flows, workflows and operations.",
    )
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .option(
      '-p, --port <n>',
      'port for probes; 0 takes a free one (default: MILLRACE_WORKER_PORT, else worker.http.port, else none)',
      parsePort,
    )
    .option(
      '--host <address>',
      'address to answer probes on (default: worker.http.host, else 127.0.0.1)',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (options: WorkerCommandOptions) => {
      process.exitCode = await work(projectDir(options.dir), options);
    });
}

async function work(dir: string, options: WorkerCommandOptions): Promise<number> {
  const interruption = onInterruption();
  const { env } = process;
  const project = await requireProject(dir);
  const { config, registry } = project;
  const log = createLogger({ debug: config.debug, env, stream: process.stdout });
  const own = new WorkerProcess(project, log);
  const http = await listen(own, project, options, log);
  try {
    const worker = await own.start();
    const { address, namespace } = worker.temporal;
    log.info(
      {
        address,
        namespace,
        queue: worker.taskQueue,
        definitions: [...registry.definitions.keys()],
        ...(registry.dataFlows.size > 0 && { flows: [...registry.dataFlows.keys()] }),
      },
      'worker ready',
    );
    await Promise.race([aborted(interruption.signal), worker.run()]);
    log.info('worker is stopping: no more work is taken, operations in progress may finish');
    await own.stop();
    log.info('worker stopped');
    return EXIT.ok;
  } finally {
    await http?.stop(0);
    interruption.dispose();
  }
}

/** Answers probes from before the worker is there until it has ended. */
async function listen(
  worker: WorkerProcess,
  { config }: Project,
  { host = config.worker.http.host, port = config.worker.http.port }: WorkerCommandOptions,
  log: Logger,
): Promise<HttpServer | undefined> {
  if (port === undefined) return undefined;
  const routes = [...probeRoutes(worker), ...(config.metrics.enabled ? [metricsRoute()] : [])];
  const http = await startWorkerHttp(routes, { host, port, log });
  log.info({ url: http.url }, 'worker answers probes');
  return http;
}
