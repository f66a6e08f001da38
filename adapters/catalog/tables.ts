import type { FlowRunEnd, FlowRunStatus, FlowTrigger } from '../../src/data-flow/catalog.js';
import type { Rejection } from '../../src/data-flow/row.js';
import type { AttributeTables } from './attribute-tables.js';
import type { Count, Flag, JsonText, Optional, OptionalTime, Time } from './column-values.js';

/** A flow: its settings, and where it is. */
export interface DataFlowsTable {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly enabled: Flag;
  /** Why an operator has paused it. Temporal has that of flows with a schedule. */
  readonly note: Optional<string>;
  readonly configuration: JsonText;
  /** Seconds. */
  readonly run_interval: number | null;
  readonly heartbeat: Flag;
  /** What the code said last of what an operator may change. */
  readonly declared: JsonText;
  readonly last_run_at: OptionalTime;
  readonly last_run_status: Optional<FlowRunEnd>;
  readonly last_run_seq: Count;
  readonly cursor: Optional<string>;
  readonly cursor_run_seq: Count;
  readonly cursor_step: Count;
  readonly sink_state: Optional<string>;
  readonly backfills: JsonText;
  readonly seen_at: Time;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** A run of a flow. */
export interface DataFlowRunsTable {
  readonly id: string;
  readonly data_flow_id: string;
  readonly run_seq: number;
  readonly status: FlowRunStatus;
  readonly trigger: FlowTrigger;
  readonly workflow_id: string;
  readonly started_at: Time;
  readonly ended_at: OptionalTime;
  readonly error_message: Optional<string>;
  readonly error_backtrace: Optional<string>;
  readonly first_cursor: Optional<string>;
  readonly last_cursor: Optional<string>;
  readonly rows_read: Count;
  readonly rows_written: Count;
  readonly rows_rejected: Count;
  readonly rows_skipped: Count;
  readonly rows_new: Count;
  readonly rows_updated: Count;
  readonly rows_redundant: Count;
  readonly rows_unpredictable: Count;
  readonly batches: Count;
  /** How many rejections are there: those of a batch that was not counted are among them. */
  readonly rejections_kept: Count;
  readonly scheduled_at: OptionalTime;
  readonly plan: Optional<JsonText>;
  readonly principal: Optional<string>;
  /** Of each flow that it comes after, the last run that had succeeded when this one was claimed. */
  readonly after_runs: Optional<JsonText>;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** A row that was rejected. */
export interface DataFlowRejectionsTable {
  readonly run_id: string;
  readonly row_number: number;
  readonly phase: Rejection['phase'];
  readonly reason: string;
  readonly row: JsonText;
  readonly created_at: Time;
}

/** Where the store of a record pipeline is. */
export interface RecordStoresTable {
  readonly pipeline: string;
  readonly store_id: string;
  readonly host: string;
  readonly dir: string;
  readonly seen_at: Time;
}

/** The catalog's tables. */
export interface Tables extends AttributeTables {
  readonly data_flows: DataFlowsTable;
  readonly data_flow_runs: DataFlowRunsTable;
  readonly data_flow_rejections: DataFlowRejectionsTable;
  readonly record_stores: RecordStoresTable;
}
