import type { Command } from 'commander';
import { connectEngine } from '../../engine/create-engine.js';
import { startHttpServer } from '../../server/http-server.js';
import { EXIT } from '../exit-code.js';
import { aborted, onInterruption } from '../interruption.js';
import {
  addListenOptions,
  lacksRoutes,
  NO_ROUTES,
  portOf,
  type ListenOptions,
} from '../listen-options.js';
import { createLogger } from '../logger.js';
import { projectDir, requireProject } from '../project.js';

const EXAMPLES = `
Uses the Temporal server of TEMPORAL_ADDRESS, temporal.toml or millrace.config.ts, else that of the \`millrace dev\` that
runs in the folder. Starts and watches runs; workers (\`millrace worker\`) execute them.

On SIGTERM or Ctrl-C it takes no more requests and ends event streams, whose clients go on with another server. A second
signal ends it at once.

Examples:
  $ TEMPORAL_ADDRESS=temporal.internal:7233 millrace server --host 0.0.0.0 --port 8080
`;

/** Adds `server`: the HTTP API on a Temporal server that is there already. */
export function addServerCommand(program: Command): void {
  const command = program
    .command('server')
    .summary('serve the HTTP API on a Temporal server that is there already')
    .description('Serves the HTTP API of the project.')
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)");
  addListenOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (options: ListenOptions & { readonly dir?: string }) => {
      process.exitCode = await serve(projectDir(options.dir), options);
    });
}

async function serve(dir: string, options: ListenOptions): Promise<number> {
  const interruption = onInterruption();
  const { env } = process;
  const project = await requireProject(dir);
  const { config, registry } = project;
  const log = createLogger({ debug: config.debug, env, stream: process.stdout });
  const engine = await connectEngine(project, env);
  try {
    const { insecure, host } = options;
    const port = portOf(options, config, env);
    const server = await startHttpServer(engine, config, {
      port,
      insecure,
      log,
      ...(host !== undefined && { host }),
    });
    const { namespace, taskQueue } = engine.temporal;
    log.info(
      {
        url: server.url,
        namespace,
        queue: taskQueue,
        definitions: [...registry.definitions.keys()],
        ...(registry.dataFlows.size > 0 && { flows: [...registry.dataFlows.keys()] }),
      },
      'server ready',
    );
    if (lacksRoutes(project)) log.warn(NO_ROUTES);
    await aborted(interruption.signal);
    log.info('server is stopping');
    await server.stop();
    log.info('server stopped');
    return EXIT.ok;
  } finally {
    await engine.close();
    interruption.dispose();
  }
}
