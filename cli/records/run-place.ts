import pc from 'picocolors';
import { coreOf } from '../../adapters/record-store/define-store.js';
import { NoTemporalServer } from '../../engine/connection-errors.js';
import { connectEngine } from '../../engine/create-engine.js';
import type { Engine } from '../../engine/engine.js';
import type { Project } from '../../engine/project/load-project.js';
import type {
  RecordRunOptions,
  StartedRecordRun,
} from '../../engine/record-pipeline/record-pipelines.js';
import { runOrFollow } from '../../engine/record-pipeline/record-run-following.js';
import { startSoloWorker } from '../../worker/solo-worker.js';
import { quietLoggers } from '../quiet-loggers.js';

/** Where a run takes place. */
export interface RunPlace {
  readonly engine: Engine;
  /** This process does the work: the run stands still without it. */
  readonly isOwn: boolean;
  /** Rejects when this process can do no more work. */
  readonly failed: Promise<never>;
  readonly start: (options: RecordRunOptions) => Promise<StartedRecordRun>;
  readonly close: () => Promise<void>;
}

/**
 * The project's Temporal server, whose workers do the work; where none is configured and no `millrace dev` runs, this process does
 * all by itself, with the state that `millrace dev` has.
 */
export async function runPlace(project: Project, name: string): Promise<RunPlace> {
  try {
    const engine = await connectEngine(project, process.env);
    return {
      engine,
      isOwn: false,
      failed: new Promise(() => undefined),
      start: (options) => engine.recordPipelines.run(name, options),
      close: () => engine.close(),
    };
  } catch (error) {
    if (!(error instanceof NoTemporalServer)) throw error;
    return ownPlace(project, name);
  }
}

async function ownPlace(project: Project, name: string): Promise<RunPlace> {
  const { env, stderr } = process;
  const { dir, config, registry } = project;
  if (stderr.isTTY) stderr.write(pc.dim('  Starting a Temporal server and a worker …\n'));
  const worker = await startSoloWorker({
    project,
    devDir: dir,
    ...quietLoggers(config.debug, env),
    env,
    onProgress: (message) => {
      stderr.write(`  ${message}\n`);
    },
  });
  const { engine, taskQueue, failed } = worker;
  const store = coreOf(registry.recordPipelines.get(name)?.store ?? {});
  return {
    engine,
    isOwn: true,
    failed,
    start: (options) => {
      const active = store.exists ? store.runs.active() : undefined;
      return runOrFollow(engine, name, { active, dir: store.dir, taskQueue }, options);
    },
    close: () => worker.stop(),
  };
}
