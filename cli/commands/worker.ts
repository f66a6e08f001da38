import type { Command } from 'commander';
import { connectWorker } from '../../worker/create-worker.js';
import { EXIT } from '../exit-code.js';
import { aborted, onInterruption } from '../interruption.js';
import { createLogger } from '../logger.js';
import { projectDir, requireProject } from '../project.js';

const EXAMPLES = `
Uses the Temporal server of TEMPORAL_ADDRESS, temporal.toml or millrace.config.ts, else that of the \`millrace dev\` that
runs in the folder. Start as many as there is work for.

On SIGTERM or Ctrl-C it takes no more work and lets operations finish for \`worker.shutdownGraceTime\` (30 s); what is left
is cancelled and handed to another worker. A second signal ends it at once.

Examples:
  $ TEMPORAL_ADDRESS=temporal.internal:7233 millrace worker
`;

/** Adds `worker`: a process that runs the project's operations. */
export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .summary('run a worker on a Temporal server that is there already')
    .description(
      "Runs a worker: the process that executes the project's pipelines, data flows, workflows and operations.",
    )
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async ({ dir }: { readonly dir?: string }) => {
      process.exitCode = await work(projectDir(dir));
    });
}

async function work(dir: string): Promise<number> {
  const interruption = onInterruption();
  const { env } = process;
  const project = await requireProject(dir);
  const { config, registry } = project;
  const log = createLogger({ debug: config.debug, env, stream: process.stdout });
  const worker = await connectWorker(project, { env, log });
  try {
    const running = worker.run();
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
    await Promise.race([aborted(interruption.signal), running]);
    log.info('worker is stopping: no more work is taken, operations in progress may finish');
    await worker.stop();
    log.info('worker stopped');
    return EXIT.ok;
  } finally {
    interruption.dispose();
  }
}
