import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from '../activities/activities.js';
import type { ActivityDependencies } from '../activities/dependencies.js';
import { eventSinks } from './event-sinks.js';

/** What {@link createTemporalWorker} takes. */
export interface TemporalWorkerOptions extends ActivityDependencies {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** The file that `workflowBundle` made. */
  readonly workflowBundle?: string;
  /** Anything else that Temporal's worker takes. */
  readonly options?: Partial<WorkerOptions>;
}

/** Heartbeats are passed on at most so often: progress is shown, and checkpoints are lost, by the second. */
const HEARTBEAT_THROTTLE = '1s';

/** How long operations in progress may go on after a stop; then they are cancelled and tried elsewhere. */
const SHUTDOWN_GRACE = '10s';

/**
 * The worker that took the last step of a run is asked for the next one, which it knows best; after so long anybody is. When it was
 * killed, nobody goes on with the run before. As Temporal's SDKs for Go and Java have it; the one for TypeScript would wait 10 s.
 */
const STICKY_WAIT = '5s';

/** Temporal's own worker, with everything that runs the definitions of a project. Without a bundle it runs activities only. */
export async function createTemporalWorker(options: TemporalWorkerOptions): Promise<Worker> {
  const { connection, namespace, taskQueue, workflowBundle } = options;
  const { code, services, log, events, outcomes, flows, attributes, approvals, stores } = options;
  return Worker.create({
    shutdownGraceTime: SHUTDOWN_GRACE,
    stickyQueueScheduleToStartTimeout: STICKY_WAIT,
    ...options.options,
    sinks: { ...options.options?.sinks, ...eventSinks(events, log) },
    connection,
    namespace,
    taskQueue,
    ...(workflowBundle !== undefined && { workflowBundle: { codePath: workflowBundle } }),
    activities: createActivities({
      code,
      services,
      log,
      ...(events !== undefined && { events }),
      ...(outcomes !== undefined && { outcomes }),
      ...(flows !== undefined && { flows }),
      ...(attributes !== undefined && { attributes }),
      ...(approvals !== undefined && { approvals }),
      ...(stores !== undefined && { stores }),
    }),
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
  });
}
