import type { DataFlowCatalog, FlowRecord } from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { configurationViolations } from '../../src/data-flow/configuration.js';
import { declarationOf } from '../../src/data-flow/declaration.js';
import type { Log } from '../../src/pipeline/context.js';
import { isTimed, type FlowSchedules } from './flow-schedules.js';
import type { FlowStarter } from './flow-starter.js';

/** Most active runs that one reconciliation looks at; the next one goes on. */
const MAX_ACTIVE = 1_000;

/** A flow that no process has said to have for so long is an orphan: longer than a rolling deploy hides one. */
const ORPHAN_AFTER_MS = 15 * 60_000;

/** True for a flow that no deployed code has had for a while, or that the catalog does not know. */
export function isOrphaned(record: FlowRecord | undefined, now: Date): boolean {
  return record === undefined || now.getTime() - record.seenAt.getTime() >= ORPHAN_AFTER_MS;
}

/** Schedules are looked at so often; claims each time. */
const SCHEDULES_EVERY_MS = 5 * 60_000;

/** What a reconciliation has done. */
export interface ReconcileReport {
  readonly closed: readonly string[];
  readonly started: readonly string[];
  readonly schedules: readonly string[];
  readonly orphans: readonly string[];
}

/** What a {@link FlowReconciliation} works with. */
export interface ReconciliationParts {
  readonly catalog: DataFlowCatalog;
  readonly starter: FlowStarter;
  readonly schedules: FlowSchedules;
  /** The flows that the deployed code has, as it is now. */
  readonly flows: () => ReadonlyMap<string, CompiledDataFlow>;
  readonly log: Log;
}

/** Brings the catalog, Temporal's workflows and its schedules into agreement. May run in several processes at once. */
export class FlowReconciliation {
  #schedulesAt = 0;
  /** What this process has declared last: a reload replaces its flows. */
  #declared: ReadonlyMap<string, CompiledDataFlow> | undefined;

  constructor(private readonly parts: ReconciliationParts) {}

  /** Everything that is due: claims each time, schedules when they were not looked at for a while. */
  async run(now: Date): Promise<ReconcileReport> {
    const records = await this.#tellFlows(now);
    const due = now.getTime() - this.#schedulesAt >= SCHEDULES_EVERY_MS;
    const schedules = due ? await this.syncAll(records) : [];
    const orphans = due ? await this.#pauseOrphans(records, now) : [];
    if (due) this.#schedulesAt = now.getTime();
    const { closed, started } = await this.#settleRuns(now);
    return {
      closed,
      started: [...started, ...(await this.#startFollowers(now))],
      schedules,
      orphans,
    };
  }

  /** Brings what the code says into the catalog: when a process starts, and when its code is reloaded. */
  async declare(now: Date): Promise<void> {
    const flows = this.parts.flows();
    await this.#declare([...flows.values()], now);
    this.#declared = flows;
  }

  /** Has every schedule be what the code and the catalog say. @returns the flows whose schedules were changed */
  async syncAll(records: readonly FlowRecord[]): Promise<readonly string[]> {
    const changed: string[] = [];
    for (const [name, flow] of this.parts.flows()) {
      const record = records.find((found) => found.name === name);
      if (record === undefined) continue;
      this.#tellConfiguration(flow, record);
      try {
        if ((await this.parts.schedules.sync(flow, record)) !== 'unchanged') changed.push(name);
      } catch (error) {
        // The schedules of others are none of its business; the next reconciliation tries again.
        this.parts.log.error(
          { err: error, flow: name },
          'the schedule of a data flow could not be brought up to date',
        );
      }
    }
    return changed;
  }

  /** Starts the flows that come after one that has ended, and the flow itself where it comes after others. */
  async followers(flow: string, now: Date): Promise<readonly string[]> {
    const flows = [...this.parts.flows().values()];
    return this.#start(
      flows.filter(
        ({ name, after }) => after.includes(flow) || (name === flow && after.length > 0),
      ),
      now,
    );
  }

  /**
   * Says which flows this process has. It does not declare them again: while two versions of the code are deployed, each would
   * bring its own defaults back each minute, and take what the other has said for an operator's or its own.
   */
  async #tellFlows(now: Date): Promise<readonly FlowRecord[]> {
    const { catalog, flows } = this.parts;
    if (this.#declared !== flows()) {
      // The catalog was away when the process started.
      await this.declare(now);
      return catalog.flows();
    }
    const names = [...flows().keys()];
    if (names.length > 0) await catalog.touch(names, now);
    const records = await catalog.flows();
    const known = new Set(records.map(({ name }) => name));
    const missing = [...flows().values()].filter(({ name }) => !known.has(name));
    if (missing.length === 0) return records;
    await this.#declare(missing, now);
    return catalog.flows();
  }

  async #declare(flows: readonly CompiledDataFlow[], now: Date): Promise<void> {
    if (flows.length > 0) await this.parts.catalog.declare(flows.map(declarationOf), now);
  }

  #tellConfiguration(flow: CompiledDataFlow, { configuration }: FlowRecord): void {
    const violations = configurationViolations(flow.configuration, configuration);
    if (violations.length === 0) return;
    this.parts.log.error(
      { flow: flow.name, violations: violations.map(({ message }) => message) },
      'the configuration of a data flow does not fit its schema; the flow is not run until it is changed',
    );
  }

  async #settleRuns(now: Date): Promise<Pick<ReconcileReport, 'closed' | 'started'>> {
    const { catalog, starter, log } = this.parts;
    const closed: string[] = [];
    const started: string[] = [];
    for (const run of await catalog.activeRuns(MAX_ACTIVE)) {
      try {
        const settled = await starter.settle(run, now, this.parts.flows().get(run.flow));
        if (settled === 'closed') closed.push(run.workflowId);
        if (settled === 'started') started.push(run.workflowId);
      } catch (error) {
        log.warn(
          { err: error, run: run.workflowId },
          'a run of a data flow could not be looked at',
        );
      }
    }
    if (closed.length > 0)
      log.warn({ closed }, 'closed runs of data flows that ended without recording it');
    if (started.length > 0)
      log.warn({ started }, 'started runs of data flows that were claimed and never began');
    return { closed, started };
  }

  #startFollowers(now: Date): Promise<readonly string[]> {
    return this.#start(
      [...this.parts.flows().values()].filter(({ after }) => after.length > 0),
      now,
    );
  }

  async #start(flows: readonly CompiledDataFlow[], now: Date): Promise<readonly string[]> {
    const started: string[] = [];
    for (const flow of flows) {
      try {
        if (await this.#isPaused(flow)) continue;
        const request = { trigger: 'after', now, onlyEnabled: true } as const;
        const claim = await this.parts.starter.claimAndStart(flow, request);
        if (claim.kind === 'claimed') started.push(claim.run.workflowId);
      } catch (error) {
        this.parts.log.warn(
          { err: error, flow: flow.name },
          'a data flow that comes after others could not be started',
        );
      }
    }
    return started;
  }

  /** What is paused is started by nothing: of a flow with a schedule, that is what knows. Others are disabled. */
  async #isPaused({ name, schedule }: CompiledDataFlow): Promise<boolean> {
    return isTimed(schedule) && this.parts.schedules.isPaused(name);
  }

  /** Pauses the schedules of flows that no code has had for a while. They are only removed by hand. */
  async #pauseOrphans(records: readonly FlowRecord[], now: Date): Promise<readonly string[]> {
    const { schedules, log } = this.parts;
    const orphans: string[] = [];
    for (const name of await schedules.names()) {
      const record = records.find((found) => found.name === name);
      if (this.parts.flows().has(name) || !isOrphaned(record, now)) continue;
      orphans.push(name);
      if (await schedules.orphan(name))
        log.warn(
          { flow: name },
          'paused the schedule of a data flow that no code has any more; `millrace flows prune` removes it',
        );
    }
    return orphans;
  }
}
