import type {
  Claim,
  DataFlowCatalog,
  FlowRecord,
  FlowRunRecord,
} from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { ConfigurationInvalid } from '../../src/data-flow/configuration.js';
import { TemporalUnavailable } from '../temporal-request.js';
import { FlowNotFound } from './flow-errors.js';
import { isOrphaned } from './flow-reconciliation.js';
import type { FlowStarter } from './flow-starter.js';
import type { KnownFlows } from './known-flows.js';

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

/** A flow that was due and could not be started. */
export interface FailedTrigger {
  readonly flow: string;
  readonly error: unknown;
}

/** What a {@link FlowHeartbeat} works with. */
export interface HeartbeatParts {
  readonly catalog: DataFlowCatalog;
  readonly known: KnownFlows;
  readonly starter: FlowStarter;
  /** The flows that the deployed code has, as it is now. */
  readonly flows: () => ReadonlyMap<string, CompiledDataFlow>;
}

/** Starts the flows that something outside keeps the time for. */
export class FlowHeartbeat {
  constructor(private readonly parts: HeartbeatParts) {}

  /** Starts every heartbeat flow that is due. One that cannot be started keeps no other from being started. */
  async beat(now: Date): Promise<Heartbeat> {
    const { catalog, known } = this.parts;
    await known.records();
    const flows = this.parts.flows();
    // A flow that no code has any more is nobody's business; one that another process has is due, and not to be started here.
    const due = (await catalog.due(now)).filter(
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
    const { known, starter } = this.parts;
    const { definition, configurationProblems } = known.stateOf(record);
    if (definition === undefined) throw new FlowNotFound(record.name);
    if (configurationProblems.length > 0)
      throw new ConfigurationInvalid(record.name, configurationProblems);
    const request = { trigger: 'heartbeat', now, onlyEnabled: true, onlyDue: true } as const;
    const claim: Claim = await starter.claimAndStart(definition, request);
    return claim.kind === 'claimed' ? claim.run : undefined;
  }
}
