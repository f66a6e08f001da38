import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';
import { REFRESH_WORKFLOW, type RefreshTask } from '../../src/attribute-pipeline/refresh.js';
import type { ProjectAttributeSettings } from '../../src/config/attribute-settings.js';
import { requestTemporal } from '../temporal-request.js';

/** What {@link AttributeSchedules} needs. */
export interface AttributeSchedulesOptions {
  readonly client: Client;
  readonly taskQueue: string;
  readonly settings: ProjectAttributeSettings;
}

/** The schedules of attribute pipelines: all of them each night, and a look each minute whether anything was left. */
export class AttributeSchedules {
  constructor(private readonly options: AttributeSchedulesOptions) {}

  /** Creates what is not there, and brings up to date what is. An operator's pause stays. @throws {@link TemporalUnavailable} */
  async keep(): Promise<void> {
    const { nightly } = this.options.settings;
    await this.#ensure(this.#minutely());
    if (nightly === false) await this.#remove(this.#nightlyId);
    else await this.#ensure(this.#nightly(nightly));
  }

  /** As {@link keep}, where there are any: a project that computes no attributes has none. */
  async keepExisting(): Promise<void> {
    const { client } = this.options;
    try {
      await requestTemporal(client, () =>
        client.schedule.getHandle(this.#minutely().scheduleId).describe(),
      );
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return;
      throw error;
    }
    await this.keep();
  }

  get #nightlyId(): string {
    return `millrace/attributes/nightly/${this.options.taskQueue}`;
  }

  #nightly({ hour, minute }: { readonly hour: number; readonly minute: number }): ScheduleOptions {
    const { taskQueue, settings } = this.options;
    const task: RefreshTask = { kind: 'all', trigger: 'schedule', task: { force: false } };
    return {
      scheduleId: this.#nightlyId,
      spec: { calendars: [{ hour, minute }], timezone: settings.timeZone },
      // A night that was missed for longer is left to the next one.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '12h' },
      action: {
        type: 'startWorkflow',
        workflowType: REFRESH_WORKFLOW,
        workflowId: this.#nightlyId,
        taskQueue,
        args: [task],
        // Runs that wait for a budget go on without it, and the next night is not left out.
        workflowExecutionTimeout: '23h',
      },
    };
  }

  #minutely(): ScheduleOptions {
    const { taskQueue } = this.options;
    const scheduleId = `millrace/attributes/${taskQueue}`;
    return {
      scheduleId,
      spec: { intervals: [{ every: '1m' }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType: 'reconcileAttributes',
        workflowId: scheduleId,
        taskQueue,
        workflowExecutionTimeout: '5m',
      },
    };
  }

  async #ensure(wanted: ScheduleOptions): Promise<void> {
    const { client } = this.options;
    try {
      await requestTemporal(client, () => client.schedule.create(wanted));
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const handle = client.schedule.getHandle(wanted.scheduleId);
      await requestTemporal(client, () => handle.update(({ state }) => ({ ...wanted, state })));
    }
  }

  async #remove(scheduleId: string): Promise<void> {
    const { client } = this.options;
    try {
      await requestTemporal(client, () => client.schedule.getHandle(scheduleId).delete());
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }
}
