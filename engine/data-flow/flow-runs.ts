import type { DataFlowCatalog, FlowRunRecord } from '../../src/data-flow/catalog.js';
import { ConfigurationInvalid } from '../../src/data-flow/configuration.js';
import { TemporalUnavailable } from '../temporal-request.js';
import {
  FlowActive,
  FlowNotFound,
  FlowRunNotFound,
  FlowRunOver,
  FlowStartDelayed,
} from './flow-errors.js';
import type { FlowStarter } from './flow-starter.js';
import type { KnownFlows } from './known-flows.js';

/** What {@link FlowRuns} works with. */
export interface FlowRunsParts {
  readonly catalog: DataFlowCatalog;
  readonly known: KnownFlows;
  readonly starter: FlowStarter;
}

/** Runs of flows that somebody starts, looks for or cancels. */
export class FlowRuns {
  constructor(private readonly parts: FlowRunsParts) {}

  /** @throws {@link FlowNotFound}, {@link FlowActive}, {@link ConfigurationInvalid}, {@link TemporalUnavailable} */
  async start(
    name: string,
    { principal }: { readonly principal?: string },
  ): Promise<FlowRunRecord> {
    const { known, starter } = this.parts;
    const { definition, configurationProblems } = await known.state(name);
    if (definition === undefined) throw new FlowNotFound(name);
    if (configurationProblems.length > 0)
      throw new ConfigurationInvalid(name, configurationProblems);
    const claim = await starter.claim({
      flow: name,
      trigger: 'manual',
      now: new Date(),
      after: definition.after,
      ...(principal !== undefined && { principal }),
    });
    if (claim.kind === 'active') throw new FlowActive(claim.run);
    if (claim.kind !== 'claimed') throw new FlowNotFound(name);
    try {
      await starter.start(definition, claim.run);
    } catch (error) {
      throw error instanceof TemporalUnavailable ? new FlowStartDelayed(claim.run, error) : error;
    }
    return claim.run;
  }

  /** By its id or its number. @throws {@link FlowNotFound}, {@link FlowRunNotFound} */
  async find(name: string, id: string): Promise<FlowRunRecord> {
    const { catalog, known } = this.parts;
    await known.record(name);
    const run = await catalog.run(name, /^\d{1,15}$/.test(id) ? Number(id) : id);
    if (run === undefined) throw new FlowRunNotFound(name, id);
    return run;
  }

  /** @throws {@link FlowNotFound}, {@link FlowRunNotFound}, {@link FlowRunOver} */
  async cancel(name: string, id: string): Promise<FlowRunRecord> {
    const run = await this.find(name, id);
    if (run.endedAt !== null) throw new FlowRunOver(run);
    const asked = await this.parts.starter.cancel(run, new Date());
    const now = await this.find(name, id);
    if (!asked) throw new FlowRunOver(now);
    return now;
  }
}
