import type { DataFlowCatalog } from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { FlowActive, FlowNotRemoved } from './flow-errors.js';
import { isOrphaned } from './flow-reconciliation.js';
import type { FlowSchedules } from './flow-schedules.js';

/** What there is of a flow that this process's code does not have. */
export interface FlowLeftOver {
  readonly name: string;
  /** When a process that has it last said so; null for a schedule whose flow the catalog does not know. */
  readonly seenAt: Date | null;
  /** No process has had it for a while: not another version of the code, either. */
  readonly isOrphaned: boolean;
}

/** What {@link LeftOverFlows} are found in. */
export interface LeftOverParts {
  readonly catalog: DataFlowCatalog;
  readonly schedules: FlowSchedules;
  /** The flows that the deployed code has, as it is now. */
  readonly flows: () => ReadonlyMap<string, CompiledDataFlow>;
}

/** Flows of the catalog and schedules that this process's code does not have. */
export class LeftOverFlows {
  constructor(private readonly parts: LeftOverParts) {}

  /** All of them, by name. */
  async all(now: Date): Promise<readonly FlowLeftOver[]> {
    const { catalog, schedules } = this.parts;
    const flows = this.parts.flows();
    const records = new Map((await catalog.flows()).map((record) => [record.name, record]));
    const known = new Set([...records.keys(), ...(await schedules.names())]);
    return [...known]
      .filter((name) => !flows.has(name))
      .sort()
      .map((name) => {
        const record = records.get(name);
        return { name, seenAt: record?.seenAt ?? null, isOrphaned: isOrphaned(record, now) };
      });
  }

  /** @throws {@link FlowActive}, {@link FlowNotRemoved}, and nothing is removed then */
  async remove(name: string): Promise<void> {
    const { catalog, schedules } = this.parts;
    if (!(await catalog.remove(name))) {
      const [latest] = await catalog.runs(name, { limit: 1 });
      if (latest?.endedAt === null) throw new FlowActive(latest);
      // Either the catalog has never known it, or its run has ended since.
      if ((await catalog.flow(name)) !== undefined && !(await catalog.remove(name)))
        throw new FlowNotRemoved(name);
    }
    // Last, so that a flow which stays has its schedule. One that is left over alone is pruned the next time.
    await schedules.remove(name);
  }
}
