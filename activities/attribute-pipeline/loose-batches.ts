import type { Context } from '@temporalio/activity';
import type { AttributePlan } from '../../src/attribute-pipeline/plan.js';
import type { RunUsage } from '../../src/attribute-pipeline/run-catalog.js';
import { costOf } from '../../src/pipeline/model-price.js';
import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import type { ActivityDependencies } from '../dependencies.js';
import { attributeOfPlan, Gathering, processorsOf, type Gathered } from './gathering.js';
import {
  computeValues,
  type BatchEntity,
  type BatchModule,
  type BatchSurroundings,
} from './module-batch.js';
import { planModules } from './plan-modules.js';
import { runSurroundings } from './run-surroundings.js';
import { usageOf } from './used-models.js';

/** Takes entities through the modules of a plan outside of any run: nothing of it is written to their values. */
export class LooseBatches {
  readonly #gathering: Gathering;

  private constructor(
    private readonly deps: ActivityDependencies,
    private readonly modules: readonly BatchModule[],
    private readonly surroundings: BatchSurroundings,
    parts: { readonly catalog: AttributeCatalogs; readonly plan: AttributePlan },
  ) {
    const { catalog, plan } = parts;
    this.#gathering = new Gathering({ runs: catalog.attributeRuns, plan, modules, surroundings });
  }

  /** @throws as {@link planModules} */
  static async of(
    deps: ActivityDependencies,
    activity: Context,
    catalog: AttributeCatalogs,
    plan: AttributePlan,
  ): Promise<LooseBatches> {
    const attributes = await catalog.entities.attributes(plan.entityType);
    const surroundings = {
      ...(await runSurroundings(deps, activity, plan, attributes)),
      attribute: attributeOfPlan(plan, attributes),
      pipelineVersion: plan.version,
    };
    const modules = planModules(plan, deps.code.modules);
    return new LooseBatches(deps, modules, surroundings, { catalog, plan });
  }

  /** What the values of entities are to be computed from. */
  gather(entityIds: readonly string[]): Promise<Gathered> {
    return this.#gathering.gather(entityIds);
  }

  /** What the processors come to, and what it has cost. */
  async compute(
    entities: readonly BatchEntity[],
  ): Promise<{ readonly computed: readonly BatchEntity[]; readonly usage: readonly RunUsage[] }> {
    const { code } = this.deps;
    const computed = await computeValues(processorsOf(this.modules), entities, this.surroundings);
    const usage = usageOf(computed, (one) => costOf(code.model(one.model)?.price, one));
    return { computed, usage };
  }
}
