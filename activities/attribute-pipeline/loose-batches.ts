import type { Context } from '@temporalio/activity';
import type { AttributePlan, BudgetReached } from '../../src/attribute-pipeline/plan.js';
import type { RunSpending, RunUsage } from '../../src/attribute-pipeline/run-catalog.js';
import type { ModelReference } from '../../src/pipeline/context.js';
import { costOf } from '../../src/pipeline/model-price.js';
import { permanent } from '../../src/pipeline/permanent.js';
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

  /**
   * What the processors come to, and what it has cost.
   *
   * @param spending - where nothing is left of it, models answer nobody
   */
  async compute(
    entities: readonly BatchEntity[],
    spending?: RunSpending,
  ): Promise<{ readonly computed: readonly BatchEntity[]; readonly usage: readonly RunUsage[] }> {
    const { code } = this.deps;
    const { left } = spending ?? {};
    const surroundings =
      left === undefined || left.rest > 0
        ? this.surroundings
        : { ...this.surroundings, model: (name: string) => this.#silent(name, left.budget) };
    const computed = await computeValues(processorsOf(this.modules), entities, surroundings);
    const usage = usageOf(
      computed.flatMap((entity) => entity.usage),
      (one) => costOf(code.model(one.model)?.price, one),
    );
    return { computed, usage };
  }

  #silent(name: string, { budget, spent }: BudgetReached): ModelReference {
    const refused = permanent(
      `The day's budget of ${String(budget)} is used up (${spent.toFixed(4)}): raise day_budget, or try tomorrow (UTC).`,
    );
    return { ...this.surroundings.model(name), generate: () => Promise.reject(refused) };
  }
}
