import type { Json, JsonObject } from '../definition/json.js';
import type { FlowPosition } from './position.js';
import type { Rejection, RowCounts } from './row.js';

/** What a run of a flow is, as the catalog keeps it (seed 001, and `cancelled`). */
export type FlowRunStatus = 'pending' | 'in_progress' | 'success' | 'failed' | 'cancelled';

/** Every status, in the order in which a run can take them. */
export const FLOW_RUN_STATUSES = [
  'pending',
  'in_progress',
  'success',
  'failed',
  'cancelled',
] as const satisfies readonly FlowRunStatus[];

/** How a run that is over ended. */
export type FlowRunEnd = Exclude<FlowRunStatus, 'pending' | 'in_progress'>;

/** What has started a run. */
export type FlowTrigger = 'schedule' | 'heartbeat' | 'manual' | 'after' | 'backfill';

/** What the code says of a flow: reconciled into the catalog when a process starts. */
export interface FlowDeclaration {
  readonly name: string;
  readonly description: string | null;
  readonly enabled: boolean;
  /** Seconds between runs, for flows that have an interval; null for a cron, and for flows that nothing starts by time. */
  readonly runInterval: number | null;
  /** Its defaults. */
  readonly configuration: JsonObject;
  /** Started by `POST /data_flows/heartbeat` when it is due. */
  readonly heartbeat: boolean;
}

/** A flow as the catalog has it: what the code says, unless an operator has changed it. */
export interface FlowRecord extends FlowDeclaration {
  readonly id: string;
  /** Why an operator has paused it; gone when it is enabled. Always null of a flow that is paused by its Temporal Schedule. */
  readonly note: string | null;
  readonly lastRunAt: Date | null;
  readonly lastRunStatus: FlowRunEnd | null;
  /** Where the next run goes on; null at the beginning. */
  readonly cursor: Json;
  /** Number of the last run that was claimed; 0 before the first. */
  readonly lastRunSeq: number;
  /** When a process whose code has the flow last said so. */
  readonly seenAt: Date;
  /** Ranges that somebody has asked to be run again; scheduled times in them are told as `backfill`. */
  readonly backfills: readonly BackfillRange[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A range of scheduled times that is run again. */
export interface BackfillRange {
  /** ISO 8601, both ends included. */
  readonly start: string;
  readonly end: string;
  readonly requestedAt: string;
}

/** What an operator may change. */
export interface FlowChange {
  readonly enabled?: boolean;
  /** Why it is not; enabling it removes the note. */
  readonly note?: string;
  /** Seconds. */
  readonly runInterval?: number;
  readonly configuration?: JsonObject;
}

/** A run as the catalog has it. */
export interface FlowRunRecord {
  readonly id: string;
  readonly flow: string;
  /** Its number among the runs of the flow, from 1. */
  readonly runSeq: number;
  readonly status: FlowRunStatus;
  readonly trigger: FlowTrigger;
  /** `flow/<name>/<run_seq>`. */
  readonly workflowId: string;
  /** When it was claimed. */
  readonly createdAt: Date;
  /** When its work began; the time of the claim until then. */
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly errorMessage: string | null;
  readonly errorBacktrace: string | null;
  /** Of the flow when the run began, and when it last moved it. */
  readonly firstCursor: Json;
  readonly lastCursor: Json;
  readonly counts: RowCounts;
  /** The time of the schedule that it was started for. */
  readonly scheduledAt: Date | null;
  /** What the run does, as its first activity found it; null before that. */
  readonly plan: JsonObject | null;
  /** Who started it, where the server authenticates. */
  readonly principal: string | null;
}

/** Names a run. */
export interface FlowRunRef {
  readonly flow: string;
  readonly runSeq: number;
}

/** Asks for the right to run a flow. */
export interface ClaimRequest {
  readonly flow: string;
  readonly trigger: FlowTrigger;
  readonly now: Date;
  readonly scheduledAt?: Date;
  readonly principal?: string;
  /** Only when the flow is enabled. */
  readonly onlyEnabled?: boolean;
  /** Only when it has never run, or its interval has passed since it last did. */
  readonly onlyDue?: boolean;
  /**
   * Flows that it comes after. Their last successful runs are recorded with the claim; with trigger `after` each of them
   * must have succeeded since the flow's own last run was claimed.
   */
  readonly after?: readonly string[];
}

/** What came of a {@link ClaimRequest}. */
export type Claim =
  | { readonly kind: 'claimed'; readonly run: FlowRunRecord }
  /** Another run is pending or in progress. */
  | { readonly kind: 'active'; readonly run: FlowRunRecord }
  /** The last run that a schedule has started was for the same time, and is over. */
  | { readonly kind: 'over'; readonly run: FlowRunRecord }
  | { readonly kind: 'disabled' }
  | { readonly kind: 'not_due' }
  /** Some flow that it comes after has not succeeded since. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'unknown' };

/** How a run ends. */
export interface FlowRunEnding {
  readonly status: FlowRunEnd;
  readonly now: Date;
  readonly errorMessage?: string;
  readonly errorBacktrace?: string;
}

/** Which runs of a flow are wanted, newest first. */
export interface RunQuery {
  readonly limit: number;
  /** Only runs with smaller numbers: the `runSeq` of the last one of the page before. */
  readonly before?: number;
  readonly status?: FlowRunStatus;
}

/** A row that was rejected, as it is listed. */
export interface RejectionRecord extends Rejection {
  readonly createdAt: Date;
}

/**
 * What Temporal does not keep of data flows: their settings, claims, cursors and run history. One implementation for SQLite and
 * PostgreSQL; both pass the same conformance suite.
 *
 * Every method may throw what the database throws; callers repeat it.
 */
export interface DataFlowCatalog {
  /**
   * Brings what the code says into the catalog. An operator's changes of enabled, interval and configuration stay: a value
   * is taken from the code only while the catalog has what the code said before. Rows of other flows are left alone.
   */
  readonly declare: (flows: readonly FlowDeclaration[], now: Date) => Promise<void>;
  /** All flows, by name. */
  readonly flows: () => Promise<readonly FlowRecord[]>;
  readonly flow: (name: string) => Promise<FlowRecord | undefined>;
  /**
   * Says that a process whose code has these flows is there. Those that are not known, or that somebody is working on at the
   * moment, are left as they are.
   */
  readonly touch: (names: readonly string[], now: Date) => Promise<void>;
  /**
   * Changes a flow. Nobody else changes it between what `decide` is given and what it answers; what it throws is thrown, and
   * nothing is changed then.
   *
   * @param decide - what is changed of the flow as it is; may be asked more than once
   * @returns the flow as it is then; undefined when there is none
   */
  readonly change: (
    name: string,
    decide: (record: FlowRecord) => FlowChange,
    now: Date,
  ) => Promise<FlowRecord | undefined>;
  /** Removes a flow with its runs. @returns false when there is none, or when a run of it is active */
  readonly remove: (name: string) => Promise<boolean>;
  /**
   * Moves a flow's cursor by hand, past whatever its sink has kept.
   *
   * @returns false when a run of it is active
   */
  readonly setCursor: (name: string, cursor: Json, now: Date) => Promise<boolean>;
  readonly addBackfill: (name: string, range: BackfillRange) => Promise<void>;

  /** Enabled heartbeat flows that have never run, or whose interval has passed since they last did; by name. */
  readonly due: (now: Date) => Promise<readonly FlowRecord[]>;
  /** Claims the next run of a flow: at most one is active, whoever asks at the same time, on however many machines. */
  readonly claim: (request: ClaimRequest) => Promise<Claim>;
  /** Runs that are pending or in progress, oldest first; at most `limit`. */
  readonly activeRuns: (limit: number) => Promise<readonly FlowRunRecord[]>;

  /**
   * Pending becomes in progress; again for a run that is in progress already, which keeps its time and first cursor.
   *
   * @returns where the flow is; undefined when the run is over already
   */
  readonly begin: (
    ref: FlowRunRef,
    begun: { readonly plan: JsonObject; readonly now: Date },
  ) => Promise<FlowPosition | undefined>;
  /** Where the flow is, for a run that is in progress; undefined when the run is over. */
  readonly position: (ref: FlowRunRef) => Promise<FlowPosition | undefined>;
  /**
   * Moves the flow on, and keeps the rows that were rejected, in one transaction.
   *
   * @param from - the step that the flow must be at; undefined where the sink keeps the position, and the catalog follows: any
   *   earlier one
   * @returns false when somebody else has moved it, or the run is over; nothing is changed then
   */
  readonly advance: (
    ref: FlowRunRef,
    move: {
      readonly from: number | undefined;
      readonly to: FlowPosition;
      readonly rejections: readonly Rejection[];
      readonly now: Date;
    },
  ) => Promise<boolean>;
  /**
   * Keeps rejected rows before the sink has the others; those that are kept already stay as they are. The record of the run
   * tells of them at once; its position does not, from which another attempt goes on counting.
   */
  readonly keepRejections: (
    ref: FlowRunRef,
    rejections: readonly Rejection[],
    now: Date,
  ) => Promise<void>;
  /** Ends a run, and tells the flow. @returns false when it was over already, which changes nothing */
  readonly end: (ref: FlowRunRef, ending: FlowRunEnding) => Promise<boolean>;

  /** Newest first. */
  readonly runs: (flow: string, query: RunQuery) => Promise<readonly FlowRunRecord[]>;
  /** Runs of all flows, newest first. */
  readonly latestRuns: (
    query: Pick<RunQuery, 'limit' | 'status'>,
  ) => Promise<readonly FlowRunRecord[]>;
  /** By its id or by its number. */
  readonly run: (flow: string, id: string | number) => Promise<FlowRunRecord | undefined>;
  /** In the order of their numbers, after `after`. */
  readonly rejections: (
    ref: FlowRunRef,
    page: { readonly limit: number; readonly after?: number },
  ) => Promise<readonly RejectionRecord[]>;
  /** How many runs {@link trim} would remove. */
  readonly trimmable: (before: Date) => Promise<number>;
  /**
   * Removes runs that ended before a time, with their rejections. The latest run of each flow stays, and its latest success:
   * claims look at them.
   *
   * @returns how many there were
   */
  readonly trim: (before: Date) => Promise<number>;
}
