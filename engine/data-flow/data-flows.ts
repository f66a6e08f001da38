import type { Client } from '@temporalio/client';
import type {
  BackfillRange,
  DataFlowCatalog,
  FlowRunRecord,
  RejectionRecord,
  RunQuery,
} from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { Json } from '../../src/definition/json.js';
import type { Log } from '../../src/pipeline/context.js';
import { FlowHeartbeat, type Heartbeat } from './flow-heartbeat.js';
import { FlowReconciliation, type ReconcileReport } from './flow-reconciliation.js';
import { FlowRuns } from './flow-runs.js';
import { FlowSchedules, type FlowScheduleState } from './flow-schedules.js';
import { FlowSettings } from './flow-settings.js';
import { FlowStarter } from './flow-starter.js';
import { FlowTimes } from './flow-times.js';
import { KnownFlows, type FlowState } from './known-flows.js';
import { LeftOverFlows, type FlowLeftOver } from './left-over-flows.js';

/** What {@link DataFlows} needs. */
export interface DataFlowsOptions {
  readonly catalog: DataFlowCatalog;
  readonly client: Client;
  readonly taskQueue: string;
  readonly afterExecute: boolean;
  /** The flows that the deployed code has, as it is now: a reload replaces them. */
  readonly flows: () => ReadonlyMap<string, CompiledDataFlow>;
  readonly log: Log;
}

/** Starts, watches and steers data flows. */
export class DataFlows {
  readonly schedules: FlowSchedules;
  readonly starter: FlowStarter;
  readonly reconciliation: FlowReconciliation;
  readonly catalog: DataFlowCatalog;
  readonly #known: KnownFlows;
  readonly #settings: FlowSettings;
  readonly #runs: FlowRuns;
  readonly #times: FlowTimes;
  readonly #heartbeat: FlowHeartbeat;
  readonly #leftOver: LeftOverFlows;

  constructor(options: DataFlowsOptions) {
    const { catalog, client, taskQueue, flows, log } = options;
    this.catalog = catalog;
    this.schedules = new FlowSchedules(client, taskQueue);
    this.starter = new FlowStarter(catalog, options);
    const { starter, schedules } = this;
    this.reconciliation = new FlowReconciliation({ catalog, starter, schedules, flows, log });
    const known = new KnownFlows({ catalog, flows, reconciliation: this.reconciliation });
    this.#known = known;
    this.#settings = new FlowSettings({ catalog, known, schedules });
    this.#runs = new FlowRuns({ catalog, known, starter });
    this.#times = new FlowTimes({ catalog, known, schedules });
    this.#heartbeat = new FlowHeartbeat({ catalog, known, starter, flows });
    this.#leftOver = new LeftOverFlows({ catalog, schedules, flows });
  }

  /** All flows of the catalog, by name: also those that only other processes have, or nobody any more. */
  async list(): Promise<readonly FlowState[]> {
    return (await this.#known.records()).map((record) => this.#known.stateOf(record));
  }

  /** @throws {@link FlowNotFound} */
  async show(name: string): Promise<FlowState> {
    return this.#known.state(name);
  }

  /**
   * Changes what operators may change, and brings the schedule up to date.
   *
   * @throws {@link FlowNotFound}, and {@link ContractViolation} with the path of each wrong property
   */
  async change(name: string, change: Readonly<Record<string, Json>>): Promise<FlowState> {
    return this.#settings.change(name, change);
  }

  /**
   * Starts a run at once, also of a flow that is disabled.
   *
   * @throws {@link FlowNotFound}, {@link FlowActive}, {@link ConfigurationInvalid}, {@link TemporalUnavailable}, and of its kind
   *   {@link FlowStartDelayed}: the run is claimed then, and started as soon as the server is back
   */
  async run(name: string, options: { readonly principal?: string } = {}): Promise<FlowRunRecord> {
    return this.#runs.start(name, options);
  }

  /**
   * Starts every heartbeat flow that is due, without waiting for its end. One that cannot be started keeps no other from being
   * started. Any number of heartbeats at the same time start each flow once.
   */
  async heartbeat(now = new Date()): Promise<Heartbeat> {
    return this.#heartbeat.beat(now);
  }

  /**
   * Keeps a flow from being started by itself until it is resumed: its schedule pauses, or it is disabled where it has none.
   *
   * @param note - why: kept with the schedule, or with the flow until it is enabled
   * @throws {@link FlowNotFound}, {@link ContractViolation} for a note that is too long
   */
  async pause(name: string, note: string): Promise<FlowState> {
    return this.#settings.pause(name, note);
  }

  /**
   * Has a flow be started by itself again, whatever has kept it from that.
   *
   * @param note - kept with the schedule, where it has one
   * @throws {@link FlowNotFound}, {@link ContractViolation} for a note that is too long
   */
  async resume(name: string, note: string): Promise<FlowState> {
    return this.#settings.resume(name, note);
  }

  /**
   * Has the runs of a range of scheduled times started again, one after the other.
   *
   * @throws {@link FlowNotFound}, {@link FlowNotScheduled}, {@link ContractViolation} for a range that is none
   */
  async backfill(name: string, range: Readonly<Record<string, Json>>): Promise<BackfillRange> {
    return this.#times.backfill(name, range);
  }

  /** A flow's schedule with its next times. @throws {@link FlowNotFound}, {@link FlowNotScheduled} */
  async schedule(name: string): Promise<FlowScheduleState> {
    return this.#times.next(name);
  }

  /** Runs of a flow, newest first. @throws {@link FlowNotFound} */
  async runs(name: string, query: RunQuery): Promise<readonly FlowRunRecord[]> {
    await this.#known.record(name);
    return this.catalog.runs(name, query);
  }

  /** A run by its id or its number. @throws {@link FlowNotFound}, {@link FlowRunNotFound} */
  async findRun(name: string, id: string): Promise<FlowRunRecord> {
    return this.#runs.find(name, id);
  }

  /**
   * Asks a run to end, by its id or its number. What it is doing is aborted, so that it ends a little later.
   *
   * @returns the run as it is now
   * @throws {@link FlowNotFound}, {@link FlowRunNotFound}, {@link FlowRunOver}
   */
  async cancel(name: string, id: string): Promise<FlowRunRecord> {
    return this.#runs.cancel(name, id);
  }

  /** Rows that a run has rejected. */
  async rejections(
    run: FlowRunRecord,
    page: { readonly limit: number; readonly after?: number },
  ): Promise<readonly RejectionRecord[]> {
    return this.catalog.rejections({ flow: run.flow, runSeq: run.runSeq }, page);
  }

  /**
   * Flows of the catalog and schedules that this process's code does not have. Other code may have them: see
   * {@link FlowLeftOver.isOrphaned}.
   */
  async orphans(now = new Date()): Promise<readonly FlowLeftOver[]> {
    return this.#leftOver.all(now);
  }

  /**
   * Removes a flow that no code has: its settings, its run history and its schedule. Whether any has it is for the caller to know.
   *
   * @throws {@link FlowActive}, {@link FlowNotRemoved}, and nothing is removed then
   */
  async prune(name: string): Promise<void> {
    await this.#leftOver.remove(name);
  }

  /**
   * Moves the cursor of a flow by hand: where its next run begins.
   *
   * @param cursor - in the form of its source; null is the beginning
   * @throws {@link FlowNotFound}, {@link FlowActive}
   */
  async reset(name: string, cursor: Json): Promise<FlowState> {
    return this.#settings.reset(name, cursor);
  }

  /** Runs of all flows, newest first. */
  async latestRuns(query: Pick<RunQuery, 'limit' | 'status'>): Promise<readonly FlowRunRecord[]> {
    await this.#known.records();
    return this.catalog.latestRuns(query);
  }

  /**
   * Removes runs that ended before a time, with their rejected rows. The latest run of each flow and its latest success stay.
   *
   * @returns how many there were
   */
  async trim(before: Date): Promise<number> {
    return this.catalog.trim(before);
  }

  /** Brings catalog, workflows and schedules into agreement. */
  async reconcile(): Promise<ReconcileReport> {
    return this.reconciliation.run(new Date());
  }
}
