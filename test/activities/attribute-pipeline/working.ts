import { ulid } from 'ulid';
import { z } from 'zod';
import type { Catalog } from '../../../adapters/catalog/open-catalog.js';
import { RunWork, type WorkOutcome } from '../../../activities/attribute-pipeline/run-work.js';
import type { BatchModule } from '../../../activities/attribute-pipeline/module-batch.js';
import { ATTRIBUTE_DEFAULTS } from '../../../src/attribute-pipeline/attribute.js';
import { defineModule, type ModuleDefinition } from '../../../src/attribute-pipeline/module.js';
import { attributesSource } from '../../../src/attribute-pipeline/modules/attributes-source.js';
import { attributePlan } from '../../../src/attribute-pipeline/plan.js';
import { UNSET_PIPELINE, type PipelineInput } from '../../../src/attribute-pipeline/pipeline.js';
import type { AttributeRun, RunTask } from '../../../src/attribute-pipeline/run.js';
import type { ModelAnswer, ModelReference } from '../../../src/pipeline/context.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';

export const ANN = { principal: 'ann', now: new Date('2026-03-01T12:00:00.000Z') };

/** What one batch of a processor does. */
export type Process = ModuleDefinition['process'];

/** Products with a width and a height, and pipelines of their other attributes. */
export class Products {
  readonly #processes = new Map<string, Process>();

  constructor(readonly catalog: Catalog) {}

  /** What a model that a processor asks answers. */
  answer: () => Promise<ModelAnswer> = () => Promise.reject(new Error('no model is asked here'));

  async begin(count: number): Promise<readonly string[]> {
    const { entities } = this.catalog;
    await entities.addEntityType({ name: 'product', label: null, description: null }, ANN);
    for (const name of ['width', 'height'])
      await entities.addAttribute(
        'product',
        { ...ATTRIBUTE_DEFAULTS, name, dataType: 'integer' },
        ANN,
      );
    return this.save(
      Array.from({ length: count }, (_, n) => ({
        key: `p${String(n + 1)}`,
        width: n + 1,
        height: 2,
      })),
    );
  }

  async save(
    products: readonly {
      readonly key: string;
      readonly width?: number;
      readonly height?: number;
    }[],
  ): Promise<readonly string[]> {
    const saved = await this.catalog.entities.saveEntities(
      'product',
      products.map(({ key, ...values }) => ({ key, values })),
      ANN,
    );
    return saved.map(({ id }) => id);
  }

  /** Adds an attribute with the pipeline that computes it. */
  async compute(
    attribute: string,
    inputs: readonly string[],
    process: Process,
    settings: Partial<PipelineInput> = {},
  ): Promise<void> {
    const computed = {
      ...ATTRIBUTE_DEFAULTS,
      dataType: 'integer',
      editable: 'overridable',
    } as const;
    await this.catalog.entities.addAttribute('product', { ...computed, name: attribute }, ANN);
    this.#processes.set(attribute, process);
    await this.catalog.attributePipelines.addPipeline(
      { entityType: 'product', attribute },
      {
        ...UNSET_PIPELINE,
        readsElsewhere: false,
        batchSize: 4,
        inputs,
        modules: [
          {
            module: 'attributes_source',
            settings: { attributes: [...inputs], view: 'with_override' },
          },
          { module: 'processor', settings: {} },
        ],
        ...settings,
      },
      ANN,
    );
  }

  /** Claims a run. */
  async claim(attribute: string, task: Partial<RunTask> = {}): Promise<AttributeRun> {
    const id = ulid();
    const { attributeRuns } = this.catalog;
    await attributeRuns.request({
      id,
      workflowId: `attribute_pipeline/product.${attribute}/${id}`,
      place: { entityType: 'product', attribute },
      trigger: 'manual',
      task: { force: false, ...task },
      now: new Date(),
    });
    const claim = await attributeRuns.claim(id, new Date());
    if (claim.kind !== 'claimed') throw new Error('a run goes on');
    return claim.run;
  }

  /** Works on a run that was claimed, as one activity does. */
  async work(
    run: AttributeRun,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<WorkOutcome> {
    const { attributePipelines, attributeRuns, entities } = this.catalog;
    const pipeline = await attributePipelines.pipeline(run);
    const nothing = (): void => undefined;
    const none = (): never => {
      throw new Error('no module of these tests asks for it');
    };
    const model: ModelReference = {
      name: 'fast',
      capabilities: [],
      generate: () => this.answer(),
    };
    return new RunWork({
      runs: attributeRuns,
      run,
      plan: attributePlan(pipeline),
      attributes: await entities.attributes('product'),
      modules: pipeline.modules.map(({ module, settings }) => ({
        ...this.#module(module, run.attribute),
        settings,
      })),
      surroundings: {
        signal,
        log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
        run: {
          id: 'attribute_pipeline/product.area/1',
          name: 'product.area',
          kind: 'attribute_pipeline',
        },
        limit: () => (work) => work(),
        sleep: () => Promise.resolve(),
        services: NO_SERVICES,
        model: () => model,
        sandbox: { run: none, check: none, close: none },
        labelOf: (name) => name,
      },
      costOf: ({ model, inputTokens }) => (model === 'fast' ? inputTokens / 1_000 : null),
      onWritten: nothing,
    }).go();
  }

  /** A whole run. */
  async run(attribute: string, task: Partial<RunTask> = {}): Promise<AttributeRun> {
    const run = await this.claim(attribute, task);
    const { failure } = await this.work(run);
    const { attributeRuns } = this.catalog;
    return failure === undefined
      ? attributeRuns.end(run.id, 'completed', null, new Date())
      : attributeRuns.end(run.id, 'failed', failure.message, new Date());
  }

  /** Current values of an attribute, in the order of the products. */
  async values(attribute: string): Promise<readonly unknown[]> {
    const { items } = await this.catalog.entities.entities('product', { limit: 100 });
    return items.map(({ values }) => values[attribute]?.current);
  }

  #module(slug: string, attribute: string): Pick<BatchModule, 'definition'> {
    const process = this.#processes.get(attribute);
    if (slug === 'attributes_source' || process === undefined) return attributesSource;
    return defineModule({
      slug: 'processor',
      label: 'Processor',
      description: 'Does what a test says.',
      type: 'processor',
      settings: z.strictObject({}),
      process,
    });
  }
}
