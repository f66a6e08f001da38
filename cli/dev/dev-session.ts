import type { Logger } from 'pino';
import type { DevServer } from '../../engine/dev-server/dev-server.js';
import { Engine } from '../../engine/engine.js';
import { connectWorkerClient, type ConnectedWorkerClient } from '../../engine/native-connection.js';
import type { Project } from '../../engine/project/load-project.js';
import type { Environment } from '../../engine/project/secrets.js';
import { raiseRetention, setRetention } from '../../engine/retention.js';
import { ListenFailed, type HttpServer } from '../../server/http-listener.js';
import { startHttpServer } from '../../server/http-server.js';
import { bundleOf, ReloadableWorker } from '../../worker/project-worker.js';
import { devTemporal, type DevTemporal, type DevTemporalOptions } from './dev-temporal.js';

/** Operations in progress get so long when `millrace dev` stops; they go on from their checkpoint at the next start. */
const STOP_GRACE_MS = 1_000;

/** Time that responses in progress get when the HTTP server stops. */
const HTTP_GRACE_MS = 1_000;

/** Ports after the preferred one that are tried. */
const PORTS_TRIED = 50;

/** What a session is started with. */
export interface DevSessionOptions extends DevTemporalOptions {
  readonly project: Project;
  readonly log: Logger;
  readonly env: Environment;
  readonly port: number;
  readonly host?: string;
  readonly insecure: boolean;
}

/** What a reload replaces. A worker has a connection of its own: Temporal takes one worker for a queue on each. */
interface Current {
  project: Project;
  worker: ReloadableWorker;
  link: ConnectedWorkerClient;
}

/** Everything that `millrace dev` runs in its process: Temporal, a worker, the HTTP server. */
export class DevSession {
  #http: HttpServer;
  /** Workers that were replaced and still finish what they have. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  #stopped: Promise<void> | undefined;

  private constructor(
    private readonly options: DevSessionOptions,
    readonly temporal: DevTemporal,
    /** Stays open to the end: the engine watches runs on it, whatever worker there is. */
    private readonly link: ConnectedWorkerClient,
    readonly engine: Engine,
    private readonly current: Current,
    http: HttpServer,
  ) {
    this.#http = http;
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
    void temporal.embedded?.exited.then(({ code, signal }) => {
      this.#fail(new TemporalEnded(code ?? signal, temporal.embedded?.logFile ?? ''));
    });
    this.#watchWorker(current.worker);
  }

  /** Starts everything. What has been started is stopped again when something else cannot be. */
  static async start(options: DevSessionOptions): Promise<DevSession> {
    const { project, log } = options;
    const undo: (() => Promise<void>)[] = [];
    try {
      // Takes a second or more and has nothing to do with Temporal's start; the worker finds it made.
      const bundling = bundleOf(project, log);
      bundling.catch(() => undefined);
      const temporal = await devTemporal(project, options);
      undo.push(async () => temporal.embedded?.stop());
      await bundling;
      const link = await connectWorkerClient(temporal.settings);
      undo.push(() => link.close());
      await keepRuns(link, temporal.embedded, project, log);
      const worker = await startWorker(project, options, link);
      undo.push(() => worker.stop());
      const current: Current = { project, worker, link };
      const engine = engineOf(temporal, current);
      const http = await listen({ engine, current }, project, options);
      return new DevSession(options, temporal, link, engine, current, http);
    } catch (error) {
      for (const stop of undo.reverse()) await stop();
      throw error;
    }
  }

  get httpUrl(): string {
    return this.#http.url;
  }

  get httpPort(): number {
    return this.#http.port;
  }

  get taskQueue(): string {
    return this.current.worker.taskQueue;
  }

  /** Rejects when something that the session cannot do without has failed. */
  get failed(): Promise<never> {
    return this.#failed;
  }

  /**
   * Takes a project that was loaded anew. Runs in progress are not disturbed. New workflow code or another configuration
   * needs a new worker, which works before the old one stops.
   *
   * @param files - the files that have changed
   * @throws what makes the new project unusable; what ran before goes on then
   */
  async reload(project: Project, files: readonly string[]): Promise<void> {
    const { log } = this.options;
    // A configuration that was taken away is made of no file any more.
    const configFiles = new Set([...this.current.project.configFiles, ...project.configFiles]);
    const configChanged = files.some((file) => configFiles.has(file));
    const bundle = await bundleOf(project, log);
    if (!configChanged && bundle === this.current.worker.workflowBundle) {
      await this.current.worker.reload(project);
      this.current.project = project;
      return;
    }
    const link = await connectWorkerClient(this.temporal.settings);
    const worker = await startWorker(project, this.options, link).catch(async (error: unknown) => {
      await link.close().catch(() => undefined);
      throw error;
    });
    const { worker: old, link: oldLink } = this.current;
    Object.assign(this.current, { worker, project, link } satisfies Current);
    this.#watchWorker(worker);
    this.#letGo(old, oldLink);
    if (configChanged) await this.#listenAgain(project);
  }

  /** Ends everything, in order. Operations in progress are handed back. May be called more than once. */
  async stop(): Promise<void> {
    await (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    await this.#http.stop(HTTP_GRACE_MS);
    await Promise.all([this.current.worker.stop(), ...this.#leaving]).catch((error: unknown) => {
      this.options.log.warn({ err: error }, 'the worker did not stop in order');
    });
    const links = new Set([this.current.link, this.link]);
    await Promise.all([...links].map((link) => link.close().catch(() => undefined)));
    await this.temporal.embedded?.stop();
  }

  #watchWorker(worker: ReloadableWorker): void {
    worker.run().catch((error: unknown) => {
      this.#fail(error);
    });
  }

  #letGo(worker: ReloadableWorker, link: ConnectedWorkerClient): void {
    const leaving = this.#leave(worker, link).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #leave(worker: ReloadableWorker, link: ConnectedWorkerClient): Promise<void> {
    try {
      await worker.stop();
      if (link !== this.link) await link.close();
    } catch (error) {
      this.options.log.warn({ err: error }, 'a worker that was replaced did not stop in order');
    }
  }

  /** The configuration decides what the server asks of requests. Clients of event streams go on where they were. */
  async #listenAgain(project: Project): Promise<void> {
    const { host, port } = this.#http;
    await this.#http.stop(HTTP_GRACE_MS);
    this.#http = await listen({ engine: this.engine, current: this.current }, project, {
      ...this.options,
      host,
      port,
    });
  }
}

/** The embedded Temporal server ended on its own. */
class TemporalEnded extends Error {
  override readonly name = 'TemporalEnded';
  constructor(how: number | NodeJS.Signals | null, logFile: string) {
    super(`the embedded Temporal server ended (${String(how)}). Its log: ${logFile}`);
  }
}

/** A worker that takes work on a link of its caller's, which outlives it. */
async function startWorker(
  project: Project,
  { log, env }: DevSessionOptions,
  link: ConnectedWorkerClient,
): Promise<ReloadableWorker> {
  const worker = await ReloadableWorker.create({
    project,
    log,
    env,
    link: { ...link, close: () => Promise.resolve() },
    shutdownGraceMs: STOP_GRACE_MS,
    versioned: false,
  });
  // Whoever watches it gets the error; nobody may be watching yet.
  worker.run().catch(() => undefined);
  return worker;
}

/** An engine on the worker's connection, so that runs begin without a round trip. Always knows what is deployed now. */
function engineOf({ settings }: DevTemporal, current: Current): Engine {
  return new Engine({
    get client() {
      return current.link.client;
    },
    eagerStart: true,
    code: {
      get registry() {
        return current.worker.code.registry;
      },
    },
    get taskQueue() {
      return current.worker.taskQueue;
    },
    get afterExecute() {
      return current.project.config.afterExecute !== undefined;
    },
    dataFlows: () => current.worker.engine.dataFlows(),
    attributes: () => current.worker.engine.attributes(),
    ...(settings.uiUrl !== undefined && { uiUrl: settings.uiUrl }),
  });
}

/** The embedded namespace is ours alone; another is only ever made to keep runs longer. */
async function keepRuns(
  { client }: ConnectedWorkerClient,
  embedded: DevServer | undefined,
  { config }: Project,
  log: Logger,
): Promise<void> {
  if (embedded === undefined) await raiseRetention(client, config.executionRetentionMs, log);
  else await setRetention(client, config.executionRetentionMs);
}

/** Listens on the preferred port, or on the next free one. */
async function listen(
  { engine, current }: { readonly engine: Engine; readonly current: Current },
  project: Project,
  { log, insecure, host, port }: Pick<DevSessionOptions, 'log' | 'insecure' | 'host' | 'port'>,
): Promise<HttpServer> {
  for (let next = port; ; next += 1) {
    try {
      return await startHttpServer(engine, project.config, {
        log,
        insecure,
        port: next,
        worker: {
          get state() {
            return current.worker.state;
          },
          readiness: () => current.worker.readiness(),
        },
        ...(host !== undefined && { host }),
      });
    } catch (error) {
      const busy = error instanceof ListenFailed && error.code === 'EADDRINUSE';
      if (!busy || next >= Math.min(port + PORTS_TRIED, 65_535)) throw error;
    }
  }
}
