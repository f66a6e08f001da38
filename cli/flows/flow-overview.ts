import pLimit from 'p-limit';
import { isTimed, type FlowScheduleState } from '../../engine/data-flow/flow-schedules.js';
import type { FlowState } from '../../engine/data-flow/known-flows.js';
import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { liveProgress, type FlowProgress } from './flow-progress.js';
import { whenOf } from './flow-way.js';
import type { OpenFlows } from './open-flows.js';

/** A flow with what a person asks about it. */
export interface FlowOverview {
  readonly state: FlowState;
  /** Of flows that a Temporal Schedule starts; undefined while no worker has created it. */
  readonly schedule?: FlowScheduleState;
  /** The last run that is over. */
  readonly lastRun?: FlowRunRecord;
  /** The one that is pending or in progress. */
  readonly activeRun?: FlowRunRecord;
  readonly progress?: FlowProgress;
}

/** What a flow is in. */
export type FlowCondition =
  'orphan' | 'configuration wrong' | 'running' | 'disabled' | 'paused' | 'enabled';

/** Flows that are looked at at once. */
const LOOKS_AT_ONCE = 5;

/** Looks at flows: their schedules, their last runs and how far the active ones are. */
export async function overviewsOf(
  open: OpenFlows,
  states: readonly FlowState[],
): Promise<readonly FlowOverview[]> {
  const limit = pLimit(LOOKS_AT_ONCE);
  return Promise.all(states.map((state) => limit(() => overviewOf(open, state))));
}

/** Looks at one flow. */
export async function overviewOf(
  { engine, flows }: OpenFlows,
  state: FlowState,
): Promise<FlowOverview> {
  const { name } = state.record;
  const [schedule, runs] = await Promise.all([
    scheduleOf(flows, state),
    // At most one of them is active.
    flows.runs(name, { limit: 2 }),
  ]);
  const activeRun = runs.find(({ endedAt }) => endedAt === null);
  const lastRun = runs.find(({ endedAt }) => endedAt !== null);
  const progress = activeRun && (await liveProgress(engine, activeRun));
  return {
    state,
    ...(schedule !== undefined && { schedule }),
    ...(lastRun !== undefined && { lastRun }),
    ...(activeRun !== undefined && { activeRun }),
    ...(progress !== undefined && { progress }),
  };
}

async function scheduleOf(
  flows: OpenFlows['flows'],
  { record, definition }: FlowState,
): Promise<FlowScheduleState | undefined> {
  if (definition === undefined || !isTimed(definition.schedule)) return undefined;
  try {
    return await flows.schedules.state(record.name);
  } catch (error) {
    if (error instanceof Error && error.name === 'ScheduleNotFoundError') return undefined;
    throw error;
  }
}

/** What matters most of what a flow is in. */
export function conditionOf({ state, schedule, activeRun }: FlowOverview): FlowCondition {
  const { record, definition, configurationProblems } = state;
  if (definition === undefined) return 'orphan';
  if (configurationProblems.length > 0) return 'configuration wrong';
  if (activeRun !== undefined) return 'running';
  if (!record.enabled) return 'disabled';
  return schedule?.paused === true ? 'paused' : 'enabled';
}

/** Why it is paused, or what an operator has written last; empty where nobody has. */
export function noteOf({ state, schedule }: FlowOverview): string {
  return state.record.note ?? schedule?.note ?? '';
}

/** When it is started by itself: `every 5m`, `heartbeat 10m, after orders`, `by hand`. Nobody knows of an orphan. */
export function whenTextOf({ record, definition }: FlowState): string {
  return definition === undefined ? '' : whenOf(definition, record.runInterval ?? undefined);
}

/** When it is started by itself next, or due for a heartbeat; undefined where nothing starts it. */
export function nextOf(overview: FlowOverview): Date | 'now' | undefined {
  const { state, schedule } = overview;
  const { enabled, heartbeat, lastRunAt, runInterval } = state.record;
  if (state.definition === undefined || !enabled || schedule?.paused === true) return undefined;
  if (!heartbeat || runInterval === null) return schedule?.next[0];
  const due = lastRunAt === null ? 0 : lastRunAt.getTime() + runInterval * 1_000;
  return due <= Date.now() ? 'now' : new Date(due);
}
