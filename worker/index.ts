/**
 * What `millrace/worker` exports. It is apart from `millrace`, so that who defines operations or mounts the router does not
 * load Temporal's native worker.
 */
export { createWorker, type CreateWorkerOptions } from './create-worker.js';
export type { ProjectWorker, RunOptions, TemporalWorkerHandles } from './project-worker.js';
export type { Readiness, WorkerState } from '../engine/readiness.js';
export { ServicesFailed } from './project-services.js';
export { UnresolvedReferences } from '../engine/project/secrets.js';
export type { Logger } from '../activities/dependencies.js';
