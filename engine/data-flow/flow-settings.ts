import type { DataFlowCatalog, FlowChange, FlowRecord } from '../../src/data-flow/catalog.js';
import { checkChange, checkNote } from '../../src/data-flow/change.js';
import type { Json } from '../../src/definition/json.js';
import { FlowActive, FlowNotFound } from './flow-errors.js';
import { isTimed, type FlowSchedules } from './flow-schedules.js';
import type { FlowState, KnownFlows } from './known-flows.js';

/** What {@link FlowSettings} works with. */
export interface FlowSettingsParts {
  readonly catalog: DataFlowCatalog;
  readonly known: KnownFlows;
  readonly schedules: FlowSchedules;
}

/** What operators set of a flow: its settings, whether it is paused, where it goes on. */
export class FlowSettings {
  constructor(private readonly parts: FlowSettingsParts) {}

  /** @throws {@link FlowNotFound}, {@link ContractViolation} */
  async change(name: string, change: Readonly<Record<string, Json>>): Promise<FlowState> {
    const { definition } = await this.parts.known.state(name);
    return this.#change(name, (record) => checkChange(change, record, definition));
  }

  /** @throws {@link FlowNotFound}, {@link ContractViolation} */
  async pause(name: string, note: string): Promise<FlowState> {
    checkNote(note);
    const { known, schedules } = this.parts;
    const { record, definition } = await known.state(name);
    if (definition === undefined || !isTimed(definition.schedule))
      return this.#change(name, () => ({ enabled: false, note }));
    await schedules.sync(definition, record);
    await schedules.pause(name, note);
    return known.state(name);
  }

  /** @throws {@link FlowNotFound}, {@link ContractViolation} */
  async resume(name: string, note: string): Promise<FlowState> {
    checkNote(note);
    const state = await this.#change(name, () => ({ enabled: true }));
    const { definition } = state;
    if (definition !== undefined && isTimed(definition.schedule))
      await this.parts.schedules.resume(name, note);
    return state;
  }

  /** @throws {@link FlowNotFound}, {@link FlowActive} */
  async reset(name: string, cursor: Json): Promise<FlowState> {
    const { catalog, known } = this.parts;
    await known.record(name);
    if (!(await catalog.setCursor(name, cursor, new Date()))) {
      const [latest] = await catalog.runs(name, { limit: 1 });
      if (latest?.endedAt === null) throw new FlowActive(latest);
      // It has ended since, or somebody has removed the flow.
      if (!(await catalog.setCursor(name, cursor, new Date()))) throw new FlowNotFound(name);
    }
    return known.state(name);
  }

  /** Changes what the catalog has, and brings the schedule up to date. */
  async #change(name: string, decide: (record: FlowRecord) => FlowChange): Promise<FlowState> {
    const { catalog, known, schedules } = this.parts;
    const { definition } = await known.state(name);
    const changed = await catalog.change(name, decide, new Date());
    if (changed === undefined) throw new FlowNotFound(name);
    if (definition !== undefined) await schedules.sync(definition, changed);
    return known.stateOf(changed);
  }
}
