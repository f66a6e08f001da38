import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleHandle,
  type ScheduleOptions,
  type ScheduleSpec,
} from '@temporalio/client';
import type { FlowRecord } from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { TRIGGER_WORKFLOW } from '../../src/data-flow/run.js';
import type { OverlapPolicy } from '../../src/data-flow/schedule.js';
import { hash } from '../../src/pipeline/contract-hash.js';
import { startSummary } from '../../src/pipeline/start.js';
import { requestTemporal } from '../temporal-request.js';
import { isPauseNote, operatorsNote, pauseNote } from './pause-note.js';

const PREFIX = 'millrace/flow/';

/** Most schedules that are looked at for orphans. */
const MAX_SCHEDULES = 10_000;

/** A schedule as it is now. */
export interface FlowScheduleState {
  readonly paused: boolean;
  /** Who paused it and why, or what the last operator has written. */
  readonly note: string;
  /** The next times at which it starts a run, at most ten; also while it is paused. */
  readonly next: readonly Date[];
  /** Scheduled times that were skipped because a run went on. */
  readonly skipped: number;
}

/** What was done to bring a schedule up to date. */
export type ScheduleSync = 'created' | 'updated' | 'unchanged';

type Timed = Extract<CompiledDataFlow['schedule'], { kind: 'every' | 'cron' }>;

/** True for a flow that a Temporal Schedule starts. */
export function isTimed(schedule: CompiledDataFlow['schedule']): schedule is Timed {
  return schedule.kind === 'every' || schedule.kind === 'cron';
}

/** The Temporal Schedules of flows: one for each that is started by time. */
export class FlowSchedules {
  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
  ) {}

  /**
   * Has a flow's schedule be what its definition and the catalog say. An operator's pause and note stay. Does nothing when
   * nothing has changed.
   */
  async sync(flow: CompiledDataFlow, record: FlowRecord): Promise<ScheduleSync> {
    if (!isTimed(flow.schedule)) return 'unchanged';
    const wanted = this.#options(flow, flow.schedule, record);
    const handle = this.#handle(flow.name);
    const found = await this.#described(handle);
    if (found === undefined) return this.#create(wanted, record);
    const { paused, note } = pauseOf(found, record.enabled);
    const same =
      definitionHashOf(found) === hashOf(wanted) &&
      found.state.paused === paused &&
      (found.state.note ?? '') === note;
    if (same) return 'unchanged';
    await this.#ask(() =>
      // An operator may have paused it since it was looked at.
      handle.update((now) => ({
        ...wanted,
        state: { ...now.state, ...pauseOf(now, record.enabled) },
      })),
    );
    return 'updated';
  }

  /** @throws ScheduleNotFoundError when it was not created yet */
  async state(flow: string): Promise<FlowScheduleState> {
    const { state, info } = await this.#ask(() => this.#handle(flow).describe());
    return {
      paused: state.paused,
      note: state.note ?? '',
      next: info.nextActionTimes.slice(0, 10),
      skipped: info.numActionsSkippedOverlap,
    };
  }

  /** Whether somebody has paused a flow's schedule; false where there is none. */
  async isPaused(flow: string): Promise<boolean> {
    const found = await this.#described(this.#handle(flow));
    return found?.state.paused === true;
  }

  async pause(flow: string, note: string): Promise<void> {
    await this.#ask(() => this.#handle(flow).pause(note));
  }

  async resume(flow: string, note: string): Promise<void> {
    await this.#ask(() => this.#handle(flow).unpause(note));
  }

  /** Has Temporal start the runs of a range of times that has passed, one after the other. */
  async backfill(flow: string, start: Date, end: Date): Promise<void> {
    await this.#ask(() =>
      this.#handle(flow).backfill({ start, end, overlap: ScheduleOverlapPolicy.BUFFER_ALL }),
    );
  }

  /** The names of the flows that have a schedule for this task queue. */
  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { scheduleId, memo } of this.client.schedule.list()) {
      if (names.length >= MAX_SCHEDULES) break;
      if (scheduleId.startsWith(PREFIX) && memo?.['taskQueue'] === this.taskQueue)
        names.push(scheduleId.slice(PREFIX.length));
    }
    return names;
  }

  /** Pauses the schedule of a flow that no code has. An operator's note stays. @returns false when it is paused already, or gone */
  async orphan(flow: string): Promise<boolean> {
    const handle = this.#handle(flow);
    const found = await this.#described(handle);
    if (found === undefined || found.state.paused) return false;
    await this.#ask(() => handle.pause(pauseNote('orphaned', found.state.note ?? '')));
    return true;
  }

  async remove(flow: string): Promise<void> {
    try {
      await this.#ask(() => this.#handle(flow).delete());
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }

  async #create(wanted: ScheduleOptions, { enabled }: FlowRecord): Promise<ScheduleSync> {
    const state = enabled ? {} : { paused: true, note: pauseNote('disabled', '') };
    try {
      await this.#ask(() => this.client.schedule.create({ ...wanted, state }));
      return 'created';
    } catch (error) {
      // Another process was faster, and has made the same.
      if (error instanceof ScheduleAlreadyRunning) return 'unchanged';
      throw error;
    }
  }

  async #described(handle: ScheduleHandle): Promise<ScheduleDescription | undefined> {
    try {
      return await this.#ask(() => handle.describe());
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return undefined;
      throw error;
    }
  }

  #options(flow: CompiledDataFlow, schedule: Timed, record: FlowRecord): ScheduleOptions {
    const { name, overlap, catchupWindowMs, description } = flow;
    const spec = specOf(schedule, record.runInterval);
    const policies = { overlap: OVERLAPS[overlap], catchupWindow: catchupWindowMs };
    const { taskQueue } = this;
    const definitionHash = hash({ spec, policies, taskQueue, description: description ?? null });
    return {
      scheduleId: `${PREFIX}${name}`,
      spec,
      policies: { ...policies, pauseOnFailure: false },
      action: {
        type: 'startWorkflow',
        workflowType: TRIGGER_WORKFLOW,
        workflowId: `flow-trigger/${name}`,
        args: [name],
        taskQueue,
        memo: { definitionHash },
        ...(description !== undefined && { staticSummary: startSummary(description) }),
      },
      memo: { taskQueue, flow: name },
    };
  }

  #handle(flow: string): ScheduleHandle {
    return this.client.schedule.getHandle(`${PREFIX}${flow}`);
  }

  #ask<T>(request: () => Promise<T>): Promise<T> {
    return requestTemporal(this.client, request);
  }
}

/** What a schedule's spec is: an operator may have changed an interval. */
function specOf(schedule: Timed, runInterval: number | null): ScheduleSpec {
  if (schedule.kind === 'cron')
    return { cronExpressions: [schedule.cron], timezone: schedule.timezone };
  return { intervals: [{ every: (runInterval ?? schedule.seconds) * 1_000 }] };
}

const OVERLAPS: Readonly<Record<OverlapPolicy, ScheduleOverlapPolicy>> = {
  SKIP: ScheduleOverlapPolicy.SKIP,
  BUFFER_ONE: ScheduleOverlapPolicy.BUFFER_ONE,
  BUFFER_ALL: ScheduleOverlapPolicy.BUFFER_ALL,
  CANCEL_OTHER: ScheduleOverlapPolicy.CANCEL_OTHER,
  TERMINATE_OTHER: ScheduleOverlapPolicy.TERMINATE_OTHER,
};

/** Whether a schedule is to be paused: what we have paused ourselves goes on when its reason is gone. */
function pauseOf(
  { state }: ScheduleDescription,
  enabled: boolean,
): { readonly paused: boolean; readonly note: string } {
  const note = state.note ?? '';
  if (state.paused && !isPauseNote(note)) return { paused: true, note };
  return enabled
    ? { paused: false, note: operatorsNote(note) }
    : { paused: true, note: pauseNote('disabled', note) };
}

function definitionHashOf({ action }: ScheduleDescription): unknown {
  return action.memo?.['definitionHash'];
}

function hashOf({ action }: ScheduleOptions): unknown {
  return action.memo?.['definitionHash'];
}
