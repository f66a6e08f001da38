import type { WorkerOptions } from '@temporalio/worker';
import type { Duration } from '../definition/duration.js';

/** Options that are Millrace's to choose: they say what a worker runs, and where. */
type ChosenByUs =
  | 'connection'
  | 'namespace'
  | 'taskQueue'
  | 'activities'
  | 'workflowsPath'
  | 'workflowBundle'
  | 'bundlerOptions'
  | 'maxHeartbeatThrottleInterval'
  | 'defaultHeartbeatThrottleInterval';

/** What Temporal has something newer for (`workerDeploymentOptions`), or a client has to agree to (`dataConverter`). */
type LeftOut = 'buildId' | 'useVersioning' | 'dataConverter';

/** The options of Temporal's `Worker.create` that a project may set, in Temporal's own types. */
export type TemporalWorkerSettings = Omit<
  WorkerOptions,
  ChosenByUs | LeftOut | 'shutdownGraceTime' | 'shutdownForceTime'
>;

/** Where a worker process answers `GET /health` and `GET /ready`. */
export interface WorkerHttpSettings {
  /** Default: `127.0.0.1`. `--host` wins over it. */
  readonly host?: string;
  /** 0 takes a free one. Unset: nothing listens. `--port` and `MILLRACE_WORKER_PORT` win over it. */
  readonly port?: number;
}

/**
 * Options that, but for those of Millrace's own, are handed to Temporal's `Worker.create` as they are; unset ones have Temporal's defaults. Modules of
 * `interceptors.workflowModules` become part of the bundle of workflow code.
 */
export interface WorkerSettings extends Readonly<TemporalWorkerSettings> {
  /**
   * Whether `millrace server` runs a worker, too, and whether an app should that asks. `millrace worker` and `millrace dev` do
   * in any case. Default: false; `MILLRACE_WORKER_ENABLED` wins over it.
   */
  readonly enabled?: boolean;
  /** Where `millrace worker` answers probes. */
  readonly http?: WorkerHttpSettings;
  /**
   * Worker Versioning: which build of which deployment this worker is. With `defaultVersioningBehavior: 'PINNED'` a run
   * stays with the build that it began on, code of operations included. Without effect in `millrace dev`.
   */
  readonly workerDeploymentOptions?: NonNullable<WorkerOptions['workerDeploymentOptions']>;
  /** How long a worker that was told to stop lets its operations finish. Default: `30s`. */
  readonly shutdownGraceTime?: Duration;
}
