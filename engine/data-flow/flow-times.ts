import { setTimeout as delay } from 'node:timers/promises';
import type { BackfillRange, DataFlowCatalog } from '../../src/data-flow/catalog.js';
import { checkRange } from '../../src/data-flow/change.js';
import type { Json } from '../../src/definition/json.js';
import type { FlowSchedules, FlowScheduleState } from './flow-schedules.js';
import type { KnownFlows } from './known-flows.js';

/** A schedule that was just created knows its next times a moment later. */
const SETTLE_MS = 300;

/** What {@link FlowTimes} works with. */
export interface FlowTimesParts {
  readonly catalog: DataFlowCatalog;
  readonly known: KnownFlows;
  readonly schedules: FlowSchedules;
}

/** The scheduled times of flows: those that come, and those of the past that are run again. */
export class FlowTimes {
  constructor(private readonly parts: FlowTimesParts) {}

  /** @throws {@link FlowNotFound}, {@link FlowNotScheduled} */
  async next(name: string): Promise<FlowScheduleState> {
    const { known, schedules } = this.parts;
    const { definition, record } = await known.timed(name, 'next times');
    if ((await schedules.sync(definition, record)) === 'created') await delay(SETTLE_MS);
    return schedules.state(name);
  }

  /** @throws {@link FlowNotFound}, {@link FlowNotScheduled}, {@link ContractViolation} for a range that is none */
  async backfill(name: string, range: Readonly<Record<string, Json>>): Promise<BackfillRange> {
    const { catalog, known, schedules } = this.parts;
    const { definition, record } = await known.timed(name, 'times to run again');
    const { start, end } = checkRange(range);
    await schedules.sync(definition, record);
    const recorded = {
      start: start.toISOString(),
      end: end.toISOString(),
      requestedAt: new Date().toISOString(),
    };
    await catalog.addBackfill(name, recorded);
    await schedules.backfill(name, start, end);
    return recorded;
  }
}
