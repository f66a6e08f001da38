import type { Logger } from 'pino';
import { readinessOf, type Readiness, type WorkerState } from '../engine/readiness.js';
import type { Project } from '../engine/project/load-project.js';
import type { ProbedWorker } from '../server/routes/ready.js';
import { connectWorker } from '../worker/create-worker.js';
import type { ProjectWorker } from '../worker/project-worker.js';
import { FORCE_AFTER_GRACE_MS } from '../worker/temporal-options.js';

/** After the worker has ended, its services and connections get so long to close, in milliseconds. */
const CLOSE_MS = 4_000;

/** The worker did not end in time. Its process has to end without it. */
export class WorkerStuck extends Error {
  override readonly name = 'WorkerStuck';
  constructor(readonly afterMs: number) {
    super(
      `the worker did not end within ${String(afterMs / 1_000)} s of being told to: something that it holds, such as a service, does ` +
        'not close. The process ends without it; what was in progress is tried by another worker when its heartbeat is missed.',
    );
  }
}

/** The worker that a command runs, from before it is there until it has ended. */
export class WorkerProcess implements ProbedWorker {
  #worker: ProjectWorker | undefined;

  constructor(
    private readonly project: Project,
    private readonly log: Logger,
  ) {}

  get state(): WorkerState {
    return this.#worker?.state ?? 'starting';
  }

  async readiness(): Promise<Readiness> {
    return this.#worker?.readiness() ?? readinessOf({ worker: this.state });
  }

  /** Connects it and has it take work. Throws what `connectWorker` throws. */
  async start(): Promise<ProjectWorker> {
    this.#worker = await connectWorker(this.project, { env: process.env, log: this.log });
    // Whoever waits for it gets the error; nobody may be waiting yet.
    this.#worker.run().catch(() => undefined);
    return this.#worker;
  }

  /**
   * Has it take no more work, waits for what is in progress within the grace time, and closes what it holds. Does nothing where it has
   * not started.
   *
   * @throws {@link WorkerStuck}, and what it ended with
   */
  async stop(): Promise<void> {
    const { shutdownGraceTimeMs } = this.project.config.worker;
    const withinMs = shutdownGraceTimeMs + FORCE_AFTER_GRACE_MS + CLOSE_MS;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new WorkerStuck(withinMs));
      }, withinMs);
    });
    try {
      await Promise.race([this.#worker?.stop(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
