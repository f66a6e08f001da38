import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from '../activities/activities.js';
import type { ActivityDependencies } from '../activities/dependencies.js';

/** What {@link createTemporalWorker} takes. */
export interface TemporalWorkerOptions extends ActivityDependencies {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** The file that `workflowBundle` made. */
  readonly workflowBundle: string;
  /** Anything else that Temporal's worker takes. */
  readonly options?: Partial<WorkerOptions>;
}

/** Heartbeats are passed on at most so often: progress is shown, and checkpoints are lost, by the second. */
const HEARTBEAT_THROTTLE = '1s';

/** How long operations in progress may go on after a stop; then they are cancelled and tried elsewhere. */
const SHUTDOWN_GRACE = '10s';

/** Temporal's own worker, with everything that runs the definitions of a project. */
export async function createTemporalWorker(options: TemporalWorkerOptions): Promise<Worker> {
  const { connection, namespace, taskQueue, workflowBundle, code, services, log, outcomes, flows } =
    options;
  return Worker.create({
    shutdownGraceTime: SHUTDOWN_GRACE,
    ...options.options,
    connection,
    namespace,
    taskQueue,
    workflowBundle: { codePath: workflowBundle },
    activities: createActivities({
      code,
      services,
      log,
      ...(outcomes !== undefined && { outcomes }),
      ...(flows !== undefined && { flows }),
    }),
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
  });
}
