import type { PropertyViolation } from '../../src/contract/violation.js';
import type { DataFlowCatalog, FlowRecord } from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { configurationViolations } from '../../src/data-flow/configuration.js';
import { FlowNotFound, FlowNotScheduled } from './flow-errors.js';
import type { FlowReconciliation } from './flow-reconciliation.js';
import { isTimed } from './flow-schedules.js';

/** A flow: what the catalog has of it, and what the deployed code says. */
export interface FlowState {
  readonly record: FlowRecord;
  /** Undefined for a flow that this process's code does not have. */
  readonly definition: CompiledDataFlow | undefined;
  /** Why it is not run: what in its configuration does not fit the code's schema. */
  readonly configurationProblems: readonly PropertyViolation[];
}

/** What {@link KnownFlows} are found in. */
export interface KnownFlowsParts {
  readonly catalog: DataFlowCatalog;
  /** The flows that the deployed code has, as it is now. */
  readonly flows: () => ReadonlyMap<string, CompiledDataFlow>;
  readonly reconciliation: FlowReconciliation;
}

/** The flows of the catalog. Those of the deployed code are declared there when they are first asked for. */
export class KnownFlows {
  constructor(private readonly parts: KnownFlowsParts) {}

  /** All of them, by name. */
  async records(): Promise<readonly FlowRecord[]> {
    const { catalog, flows, reconciliation } = this.parts;
    const records = await catalog.flows();
    const names = new Set(records.map(({ name }) => name));
    if ([...flows().keys()].every((name) => names.has(name))) return records;
    await reconciliation.declare(new Date());
    return catalog.flows();
  }

  /** @throws {@link FlowNotFound} */
  async record(name: string): Promise<FlowRecord> {
    const { catalog, flows, reconciliation } = this.parts;
    const known = await catalog.flow(name);
    if (known !== undefined) return known;
    if (!flows().has(name)) throw new FlowNotFound(name);
    // No worker of this code has started yet.
    await reconciliation.declare(new Date());
    const declared = await catalog.flow(name);
    if (declared === undefined) throw new FlowNotFound(name);
    return declared;
  }

  /** @throws {@link FlowNotFound} */
  async state(name: string): Promise<FlowState> {
    return this.stateOf(await this.record(name));
  }

  /** A flow's record with what the deployed code says. */
  stateOf(record: FlowRecord): FlowState {
    const definition = this.parts.flows().get(record.name);
    return {
      record,
      definition,
      configurationProblems:
        definition === undefined
          ? []
          : configurationViolations(definition.configuration, record.configuration),
    };
  }

  /**
   * A flow that a Temporal Schedule starts.
   *
   * @param what - only such flows have it, for the message
   * @throws {@link FlowNotFound}, {@link FlowNotScheduled}
   */
  async timed(
    name: string,
    what: string,
  ): Promise<{ readonly record: FlowRecord; readonly definition: CompiledDataFlow }> {
    const { record, definition } = await this.state(name);
    if (definition === undefined) throw new FlowNotFound(name);
    if (!isTimed(definition.schedule)) throw new FlowNotScheduled(name, what);
    return { record, definition };
  }
}
