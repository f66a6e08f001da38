import type { Logger } from '../activities/dependencies.js';
import type { AttributeSchedules } from '../engine/attribute-pipeline/attribute-schedules.js';
import type { ProjectFlows } from '../engine/data-flow/project-flows.js';
import type { ConnectedWorkerClient } from '../engine/native-connection.js';
import { requestTemporal } from '../engine/temporal-request.js';
import { ensureMinuteSchedule, reconcileSchedule, sweepSchedule } from './minute-schedule.js';

/** What {@link keepSchedules} works with. */
export interface ScheduleParts {
  readonly link: ConnectedWorkerClient;
  readonly taskQueue: string;
  readonly log: Logger;
  /** Undefined where the project has none. */
  readonly flows: ProjectFlows | undefined;
  readonly attributes: AttributeSchedules;
}

/**
 * Brings the schedules of our own workflows, and those of the project's data flows, up to date. In time or not at all: a worker
 * that stops waits for it.
 */
export async function keepSchedules({
  link,
  taskQueue,
  log,
  flows,
  attributes,
}: ScheduleParts): Promise<void> {
  try {
    await requestTemporal(link.client, () =>
      ensureMinuteSchedule(link.client, taskQueue, sweepSchedule(taskQueue)),
    );
  } catch (error) {
    log.warn(
      { err: error },
      'the sweep for ended runs could not be scheduled; webhooks of terminated runs may be missing',
    );
  }
  try {
    await attributes.keepExisting();
  } catch (error) {
    log.warn(
      { err: error },
      'the schedules of attribute pipelines could not be brought up to date',
    );
  }
  if (flows === undefined) return;
  try {
    const { reconciliation, catalog } = await flows.open();
    await reconciliation.declare(new Date());
    await reconciliation.syncAll(await catalog.flows());
    await requestTemporal(link.client, () =>
      ensureMinuteSchedule(link.client, taskQueue, reconcileSchedule(taskQueue)),
    );
  } catch (error) {
    log.warn(
      { err: error },
      'the schedules of data flows could not be brought up to date; the next reconciliation tries again',
    );
  }
}
