import type { Logger } from '../activities/dependencies.js';
import type { ConnectedWorkerClient } from '../engine/native-connection.js';
import type { Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import type { ModelReference } from '../src/pipeline/context.js';

/** What a worker of a project is made from. */
export interface ProjectWorkerOptions {
  readonly project: Project;
  /** The connection that the worker uses, and a client on it. Closed when the worker has stopped. */
  readonly link: ConnectedWorkerClient;
  readonly log: Logger;
  readonly env: Environment;
  /** The config's own unless set. */
  readonly shutdownGraceMs?: number;
  /** False: `workerDeploymentOptions` of the config have no effect, since nobody makes a version the current one here. */
  readonly versioned?: boolean;
  /** False: nothing is started by time, neither the sweep for ended runs nor the project's data flows. */
  readonly schedules?: boolean;
  /** All record stores are on this machine, whatever the catalog knows, and their relative paths start at this folder; absolute. */
  readonly localStores?: string;
  /** Used instead of the models that the config has by these names. */
  readonly models?: ReadonlyMap<string, ModelReference>;
}
