import type { WorkerOptions } from '@temporalio/worker';
import { TIMED_OUT_TAG } from '../src/outcome/outcome.js';
import type { ProjectWorkerOptions } from './project-worker-options.js';

/** Operations that do not look at their signal get so long after the grace time; then the worker ends without them. */
export const FORCE_AFTER_GRACE_MS = 5_000;

/** Without `useWorkerVersioning` a version would only be a label, from which workflow code could not tell that it is none. */
export function versionOf({
  project,
  versioned = true,
}: ProjectWorkerOptions): WorkerOptions['workerDeploymentOptions'] {
  const { workerDeploymentOptions } = project.config.worker;
  return versioned && workerDeploymentOptions?.useWorkerVersioning === true
    ? workerDeploymentOptions
    : undefined;
}

/** What a project says to Temporal's own worker. */
export function workerOptions(options: ProjectWorkerOptions): Partial<WorkerOptions> {
  const {
    enabled: _enabled,
    http: _http,
    shutdownGraceTimeMs,
    workerDeploymentOptions: _,
    interceptors,
    patchActivationCallback,
    ...others
  } = options.project.config.worker;
  const version = versionOf(options);
  const graceMs = options.shutdownGraceMs ?? shutdownGraceTimeMs;
  const { workflowModules: _bundled, ...outside } = interceptors ?? {};
  return {
    ...others,
    ...(interceptors !== undefined && { interceptors: outside }),
    ...(patchActivationCallback !== undefined && {
      patchActivationCallback: (input) =>
        // Not one of the project's patches: it tells a timeout from other failures.
        input.patchId === TIMED_OUT_TAG || patchActivationCallback(input),
    }),
    ...(version !== undefined && { workerDeploymentOptions: version }),
    shutdownGraceTime: graceMs,
    shutdownForceTime: graceMs + FORCE_AFTER_GRACE_MS,
  };
}
