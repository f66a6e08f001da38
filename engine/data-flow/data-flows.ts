import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type {
  BackfillRange,
  Claim,
  DataFlowCatalog,
  FlowChange,
  FlowRecord,
  FlowRunRecord,
  RejectionRecord,
  RunQuery,
} from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import {
  ConfigurationInvalid,
  configurationViolations,
} from '../../src/data-flow/configuration.js';
import { checkChange, checkRange } from '../../src/data-flow/change.js';
import type { PropertyViolation } from '../../src/contract/violation.js';
import type { Json } from '../../src/definition/json.js';
import type { Log } from '../../src/pipeline/context.js';
import { TemporalUnavailable } from '../temporal-request.js';
import {
  FlowActive,
  FlowNotFound,
  FlowNotRemoved,
  FlowNotScheduled,
  FlowRunNotFound,
  FlowRunOver,
  FlowStartDelayed,
} from './flow-errors.js';
import { FlowReconciliation, isOrphaned, type ReconcileReport } from './flow-reconciliation.js';
import { FlowSchedules, isTimed, type FlowScheduleState } from './flow-schedules.js';
import { FlowStarter } from './flow-starter.js';

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

/** A flow: what the catalog has of it, and what the deployed code says. */
export interface FlowState {
  readonly record: FlowRecord;
  /** Undefined for a flow that this process's code does not have. */
  readonly definition: CompiledDataFlow | undefined;
  /** Why it is not run: what in its configuration does not fit the code's schema. */
  readonly configurationProblems: readonly PropertyViolation[];
}

/** What a heartbeat has done. */
export interface Heartbeat {
  /** Enabled heartbeat flows that had never run, or whose interval had passed. */
  readonly due: readonly string[];
  /** Those of them that this heartbeat has started. */
  readonly triggered: readonly FlowRunRecord[];
  /** Those that it could not start, and why. What another heartbeat has started, or a run that goes on, is no failure. */
  readonly failed: readonly FailedTrigger[];
  readonly at: Date;
}

/** What there is of a flow that this process's code does not have. */
export interface FlowLeftOver {
  readonly name: string;
  /** When a process that has it last said so; null for a schedule whose flow the catalog does not know. */
  readonly seenAt: Date | null;
  /** No process has had it for a while: not another version of the code, either. */
  readonly isOrphaned: boolean;
}

/** A flow that was due and could not be started. */
export interface FailedTrigger {
  readonly flow: string;
  readonly error: unknown;
}

/** Starts, watches and steers data flows. */
export class DataFlows {
  readonly schedules: FlowSchedules;
  readonly starter: FlowStarter;
  readonly reconciliation: FlowReconciliation;
  readonly #options: DataFlowsOptions;

  constructor(options: DataFlowsOptions) {
    const { catalog, client, taskQueue, flows, log } = options;
    this.#options = options;
    this.schedules = new FlowSchedules(client, taskQueue);
    this.starter = new FlowStarter(catalog, options);
    const { starter, schedules } = this;
    this.reconciliation = new FlowReconciliation({ catalog, starter, schedules, flows, log });
  }

  get catalog(): DataFlowCatalog {
    return this.#options.catalog;
  }

  /** All flows of the catalog, by name: also those that only other processes have, or nobody any more. */
  async list(): Promise<readonly FlowState[]> {
    return (await this.#known()).map((record) => this.#state(record));
  }

  /** @throws {@link FlowNotFound} */
  async show(name: string): Promise<FlowState> {
    return this.#state(await this.#record(name));
  }

  /**
   * Changes what operators may change, and brings the schedule up to date.
   *
   * @throws {@link FlowNotFound}, and {@link ContractViolation} with the path of each wrong property
   */
  async change(name: string, change: Readonly<Record<string, Json>>): Promise<FlowState> {
    const { definition } = await this.show(name);
    const decide = (record: FlowRecord): FlowChange => checkChange(change, record, definition);
    const changed = await this.catalog.change(name, decide, new Date());
    if (changed === undefined) throw new FlowNotFound(name);
    if (definition !== undefined) await this.schedules.sync(definition, changed);
    return this.#state(changed);
  }

  /**
   * Starts a run at once, also of a flow that is disabled.
   *
   * @throws {@link FlowNotFound}, {@link FlowActive}, {@link ConfigurationInvalid}, {@link TemporalUnavailable}, and of its kind
   *   {@link FlowStartDelayed}: the run is claimed then, and started as soon as the server is back
   */
  async run(
    name: string,
    { principal }: { readonly principal?: string } = {},
  ): Promise<FlowRunRecord> {
    const { definition, configurationProblems } = await this.show(name);
    if (definition === undefined) throw new FlowNotFound(name);
    if (configurationProblems.length > 0)
      throw new ConfigurationInvalid(name, configurationProblems);
    const claim = await this.starter.claim({
      flow: name,
      trigger: 'manual',
      now: new Date(),
      after: definition.after,
      ...(principal !== undefined && { principal }),
    });
    if (claim.kind === 'active') throw new FlowActive(claim.run);
    if (claim.kind !== 'claimed') throw new FlowNotFound(name);
    try {
      await this.starter.start(definition, claim.run);
    } catch (error) {
      throw error instanceof TemporalUnavailable ? new FlowStartDelayed(claim.run, error) : error;
    }
    return claim.run;
  }

  /**
   * Starts every heartbeat flow that is due, without waiting for its end. One that cannot be started keeps no other from being
   * started. Any number of heartbeats at the same time start each flow once.
   */
  async heartbeat(now = new Date()): Promise<Heartbeat> {
    await this.#known();
    const flows = this.#options.flows();
    // A flow that no code has any more is nobody's business; one that another process has is due, and not to be started here.
    const due = (await this.catalog.due(now)).filter(
      (record) => flows.has(record.name) || !isOrphaned(record, now),
    );
    const triggered: FlowRunRecord[] = [];
    const failed: FailedTrigger[] = [];
    // Temporal's server is the same for all, and each would wait for it: they are left to the next heartbeat.
    let away: TemporalUnavailable | undefined;
    for (const record of due) {
      try {
        if (away !== undefined) throw away;
        const run = await this.#trigger(record, now);
        if (run !== undefined) triggered.push(run);
      } catch (error) {
        failed.push({ flow: record.name, error });
        if (error instanceof TemporalUnavailable) away = error;
      }
    }
    return { due: due.map(({ name }) => name), triggered, failed, at: now };
  }

  async #trigger(record: FlowRecord, now: Date): Promise<FlowRunRecord | undefined> {
    const { definition, configurationProblems } = this.#state(record);
    if (definition === undefined) throw new FlowNotFound(record.name);
    if (configurationProblems.length > 0)
      throw new ConfigurationInvalid(record.name, configurationProblems);
    const request = { trigger: 'heartbeat', now, onlyEnabled: true, onlyDue: true } as const;
    const claim: Claim = await this.starter.claimAndStart(definition, request);
    return claim.kind === 'claimed' ? claim.run : undefined;
  }

  /** Keeps a flow from being started by itself until it is resumed: its schedule pauses, a heartbeat passes it by. */
  async pause(name: string, note: string): Promise<FlowState> {
    const { record, definition } = await this.show(name);
    if (definition !== undefined && isTimed(definition.schedule)) {
      await this.schedules.sync(definition, record);
      await this.schedules.pause(name, note);
      return this.show(name);
    }
    return this.change(name, { enabled: false });
  }

  /** Has a flow be started by itself again, whatever has kept it from that. */
  async resume(name: string, note: string): Promise<FlowState> {
    const { definition } = await this.show(name);
    const state = await this.change(name, { enabled: true });
    if (definition !== undefined && isTimed(definition.schedule))
      await this.schedules.resume(name, note);
    return state;
  }

  /**
   * Has the runs of a range of scheduled times started again, one after the other.
   *
   * @throws {@link FlowNotFound}, {@link FlowNotScheduled}, {@link ContractViolation} for a range that is none
   */
  async backfill(name: string, range: Readonly<Record<string, Json>>): Promise<BackfillRange> {
    const timed = await this.#timed(name, 'times to run again');
    const { start, end } = checkRange(range);
    await this.schedules.sync(timed.definition, timed.record);
    const recorded = {
      start: start.toISOString(),
      end: end.toISOString(),
      requestedAt: new Date().toISOString(),
    };
    await this.catalog.addBackfill(name, recorded);
    await this.schedules.backfill(name, start, end);
    return recorded;
  }

  /** A flow's schedule with its next times. @throws {@link FlowNotFound}, {@link FlowNotScheduled} */
  async schedule(name: string): Promise<FlowScheduleState> {
    const { definition, record } = await this.#timed(name, 'next times');
    if ((await this.schedules.sync(definition, record)) === 'created') await delay(SETTLE_MS);
    return this.schedules.state(name);
  }

  /** Runs of a flow, newest first. @throws {@link FlowNotFound} */
  async runs(name: string, query: RunQuery): Promise<readonly FlowRunRecord[]> {
    await this.#record(name);
    return this.catalog.runs(name, query);
  }

  /** A run by its id or its number. @throws {@link FlowNotFound}, {@link FlowRunNotFound} */
  async findRun(name: string, id: string): Promise<FlowRunRecord> {
    await this.#record(name);
    const run = await this.catalog.run(name, /^\d{1,15}$/.test(id) ? Number(id) : id);
    if (run === undefined) throw new FlowRunNotFound(name, id);
    return run;
  }

  /**
   * Asks a run to end, by its id or its number. What it is doing is aborted, so that it ends a little later.
   *
   * @returns the run as it is now
   * @throws {@link FlowNotFound}, {@link FlowRunNotFound}, {@link FlowRunOver}
   */
  async cancel(name: string, id: string): Promise<FlowRunRecord> {
    const run = await this.findRun(name, id);
    if (run.endedAt !== null) throw new FlowRunOver(run);
    const asked = await this.starter.cancel(run, new Date());
    const now = await this.findRun(name, id);
    if (!asked) throw new FlowRunOver(now);
    return now;
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
    const flows = this.#options.flows();
    const records = new Map((await this.catalog.flows()).map((record) => [record.name, record]));
    const known = new Set([...records.keys(), ...(await this.schedules.names())]);
    return [...known]
      .filter((name) => !flows.has(name))
      .sort()
      .map((name) => {
        const record = records.get(name);
        return { name, seenAt: record?.seenAt ?? null, isOrphaned: isOrphaned(record, now) };
      });
  }

  /**
   * Removes a flow that no code has: its settings, its run history and its schedule. Whether any has it is for the caller to know.
   *
   * @throws {@link FlowActive}, and nothing is removed then
   */
  async prune(name: string): Promise<void> {
    if (!(await this.catalog.remove(name))) {
      const [latest] = await this.catalog.runs(name, { limit: 1 });
      if (latest?.endedAt === null) throw new FlowActive(latest);
      // Either the catalog has never known it, or its run has ended since.
      if ((await this.catalog.flow(name)) !== undefined && !(await this.catalog.remove(name)))
        throw new FlowNotRemoved(name);
    }
    // Last, so that a flow which stays has its schedule. One that is left over alone is pruned the next time.
    await this.schedules.remove(name);
  }

  /**
   * Moves the cursor of a flow by hand: where its next run begins.
   *
   * @param cursor - in the form of its source; null is the beginning
   * @throws {@link FlowNotFound}, {@link FlowActive}
   */
  async reset(name: string, cursor: Json): Promise<FlowState> {
    await this.#record(name);
    if (!(await this.catalog.setCursor(name, cursor, new Date()))) {
      const [latest] = await this.catalog.runs(name, { limit: 1 });
      if (latest?.endedAt === null) throw new FlowActive(latest);
      // It has ended since, or somebody has removed the flow.
      if (!(await this.catalog.setCursor(name, cursor, new Date()))) throw new FlowNotFound(name);
    }
    return this.show(name);
  }

  /** Runs of all flows, newest first. */
  async latestRuns(query: Pick<RunQuery, 'limit' | 'status'>): Promise<readonly FlowRunRecord[]> {
    await this.#known();
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

  async #known(): Promise<readonly FlowRecord[]> {
    const records = await this.catalog.flows();
    const names = new Set(records.map(({ name }) => name));
    if ([...this.#options.flows().keys()].every((name) => names.has(name))) return records;
    await this.reconciliation.declare(new Date());
    return this.catalog.flows();
  }

  async #record(name: string): Promise<FlowRecord> {
    const known = await this.catalog.flow(name);
    if (known !== undefined) return known;
    if (!this.#options.flows().has(name)) throw new FlowNotFound(name);
    // No worker of this code has started yet.
    await this.reconciliation.declare(new Date());
    const declared = await this.catalog.flow(name);
    if (declared === undefined) throw new FlowNotFound(name);
    return declared;
  }

  #state(record: FlowRecord): FlowState {
    const definition = this.#options.flows().get(record.name);
    return {
      record,
      definition,
      configurationProblems:
        definition === undefined
          ? []
          : configurationViolations(definition.configuration, record.configuration),
    };
  }

  async #timed(
    name: string,
    what: string,
  ): Promise<{ readonly record: FlowRecord; readonly definition: CompiledDataFlow }> {
    const { record, definition } = await this.show(name);
    if (definition === undefined) throw new FlowNotFound(name);
    if (!isTimed(definition.schedule)) throw new FlowNotScheduled(name, what);
    return { record, definition };
  }
}

/** A schedule that was just created knows its next times a moment later. */
const SETTLE_MS = 300;
