import { setTimeout as delay } from 'node:timers/promises';
import { ConnectedEngine } from '../engine/create-engine.js';
import type { EngineOptions, InputOf, ResultOf, StartOptions, Target } from '../engine/engine.js';
import type { Run } from '../engine/run.js';
import type { ProjectConfig } from '../src/config/project-config.js';
import { durationMs, type Duration } from '../src/definition/duration.js';
import type { ProjectWorker } from '../worker/project-worker.js';

/** What a {@link TestEngine} belongs to. */
export interface TestEngineParts {
  readonly options: EngineOptions;
  readonly config: ProjectConfig;
  readonly worker: ProjectWorker;
  /** Lets time pass on a server whose clock is ours. */
  readonly skip?: ((ms: number) => Promise<void>) | undefined;
  /** Ends everything that was started for the engine. */
  readonly stop: () => Promise<void>;
}

/** An engine whose worker, server and catalog were made for a test, and end with it. */
export class TestEngine extends ConnectedEngine {
  /** The worker that executes its runs; `worker.temporal` is everything of Temporal's own. */
  readonly worker: ProjectWorker;
  /** `host:port` of the Temporal server. */
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Workflow ids of the runs that it has started. */
  readonly started: ReadonlySet<string>;
  readonly #started: Set<string>;
  readonly #skip: TestEngineParts['skip'];

  constructor({ options, config, worker, skip, stop }: TestEngineParts) {
    super(options, stop, config);
    this.worker = worker;
    this.address = worker.temporal.address;
    this.namespace = worker.temporal.namespace;
    this.taskQueue = worker.taskQueue;
    this.#started = new Set();
    this.started = this.#started;
    this.#skip = skip;
  }

  override async start<T extends Target>(
    target: T,
    input: InputOf<T>,
    options: StartOptions = {},
  ): Promise<Run<ResultOf<T>>> {
    const run = await super.start(target, input, options);
    this.#started.add(run.id);
    return run;
  }

  /**
   * Lets time pass: at once with `server: 'time-skipping'`, where what is due meanwhile happens, and as it does in the world with `'dev'`.
   *
   * @param duration - `'3 days'`, or milliseconds
   */
  async sleep(duration: Duration): Promise<void> {
    const ms = durationMs(duration);
    await (this.#skip === undefined ? delay(ms) : this.#skip(ms));
  }

  /**
   * Ends the worker, the connection, the catalog, and the server if it was started for this engine. May be called more than once.
   *
   * @throws {@link LeftOver} where runs are open, or code goes on though it was cancelled; everything is ended by then
   */
  async stop(): Promise<void> {
    await this.close();
  }
}
