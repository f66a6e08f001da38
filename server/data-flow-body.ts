import { countFields } from '../src/data-flow/row.js';
import type { FlowRunRecord, RejectionRecord } from '../src/data-flow/catalog.js';
import type { FlowScheduleState } from '../engine/data-flow/flow-schedules.js';
import { isTimed } from '../engine/data-flow/flow-schedules.js';
import type { FlowState } from '../engine/data-flow/known-flows.js';
import type { Engine } from '../engine/engine.js';
import type { Json, JsonObject } from '../src/definition/json.js';

/** A data flow as lists tell it: the seed's columns, and what the deployed code says. */
export function flowBody(state: FlowState, base: string): JsonObject {
  const { record, definition, configurationProblems } = state;
  return {
    id: record.id,
    name: record.name,
    description: record.description,
    enabled: record.enabled,
    note: record.note,
    configuration: record.configuration,
    configuration_problems: configurationProblems.map(({ path, message }) => ({ path, message })),
    run_interval: record.runInterval,
    schedule: scheduleOf(state),
    after: [...(definition?.after ?? [])],
    heartbeat: record.heartbeat,
    defined: definition !== undefined,
    last_run_at: timeOrNull(record.lastRunAt),
    last_run_status: record.lastRunStatus,
    last_run_seq: record.lastRunSeq,
    cursor: record.cursor,
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
    links: flowLinks(state, base),
  };
}

/** A data flow as its own page tells it. */
export function flowDetails(state: FlowState, base: string): JsonObject {
  const { definition } = state;
  return {
    ...flowBody(state, base),
    ...(definition !== undefined && { configuration_schema: definition.configurationSchema }),
  };
}

/** A schedule as Temporal has it, and how it is defined. */
export function scheduleBody(
  { paused, note, next, skipped }: FlowScheduleState,
  state: FlowState,
): JsonObject {
  return {
    paused,
    note,
    next: next.map((time) => time.toISOString()),
    skipped,
    schedule: scheduleOf(state),
  };
}

/** How a flow is started by itself; null where the code is not there to say. */
function scheduleOf({ record, definition }: FlowState): Json {
  if (definition === undefined) return null;
  const { schedule } = definition;
  switch (schedule.kind) {
    case 'cron':
      return { kind: 'cron', cron: schedule.cron, timezone: schedule.timezone };
    case 'every':
    case 'heartbeat':
      // An operator may have changed it.
      return { kind: schedule.kind, seconds: record.runInterval ?? schedule.seconds };
    case 'none':
      return { kind: 'none' };
  }
}

/** @param base - the path of all flows: `/data_flows` */
export function flowPath(base: string, name: string): string {
  return `${base}/${encodeURIComponent(name)}`;
}

function flowLinks({ record, definition }: FlowState, base: string): JsonObject {
  const self = flowPath(base, record.name);
  const isScheduled = definition !== undefined && isTimed(definition.schedule);
  return { self, runs: `${self}/runs`, ...(isScheduled && { schedule: `${self}/schedule` }) };
}

/** A run as lists tell it. */
export function flowRunBody(run: FlowRunRecord, base: string, engine: Engine): JsonObject {
  const { counts, startedAt, endedAt } = run;
  return {
    id: run.id,
    run_seq: run.runSeq,
    data_flow: run.flow,
    status: run.status,
    trigger: run.trigger,
    started_at: startedAt.toISOString(),
    ended_at: timeOrNull(endedAt),
    duration_ms: endedAt === null ? null : Math.max(0, endedAt.getTime() - startedAt.getTime()),
    error_message: run.errorMessage,
    first_cursor: run.firstCursor,
    last_cursor: run.lastCursor,
    ...countFields(counts),
    scheduled_at: timeOrNull(run.scheduledAt),
    workflow_id: run.workflowId,
    principal: run.principal,
    links: flowRunLinks(run, base, engine),
  };
}

/** A run as its own page tells it. */
export function flowRunDetails(run: FlowRunRecord, base: string, engine: Engine): JsonObject {
  return { ...flowRunBody(run, base, engine), error_backtrace: run.errorBacktrace };
}

/** Where more about a run is. */
export function flowRunLinks(run: FlowRunRecord, base: string, engine: Engine): JsonObject {
  const flow = flowPath(base, run.flow);
  const self = `${flow}/runs/${String(run.runSeq)}`;
  const temporalUi = engine.uiLink(run.workflowId);
  return {
    self,
    events: `${self}/events`,
    rejections: `${self}/rejections`,
    data_flow: flow,
    ...(run.endedAt === null && { cancel: `${self}/cancel` }),
    ...(temporalUi !== undefined && { temporal_ui: temporalUi }),
  };
}

/** A row that a run has rejected. */
export function rejectionBody({
  rowNumber,
  phase,
  reason,
  row,
  createdAt,
}: RejectionRecord): JsonObject {
  return { row_number: rowNumber, phase, reason, row, created_at: createdAt.toISOString() };
}

function timeOrNull(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}
