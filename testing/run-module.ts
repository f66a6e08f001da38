import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { quickjsSandbox } from '../adapters/sandbox/quickjs-sandbox.js';
import { resultsOf } from '../activities/attribute-pipeline/module-batch.js';
import type { Attribute } from '../src/attribute-pipeline/attribute.js';
import { InvalidSettings } from '../src/attribute-pipeline/catalog-errors.js';
import { checkedSettings } from '../src/attribute-pipeline/checked-pipeline.js';
import type { AttributeModule, ModuleResult } from '../src/attribute-pipeline/module.js';
import type { Sandbox } from '../src/attribute-pipeline/sandbox.js';
import type { Json, JsonObject } from '../src/definition/json.js';
import { unknownName } from '../src/definition/unknown-name.js';
import type { ModelReference, Services } from '../src/pipeline/context.js';
import { OperationReport } from './operation-report.js';

/** An entity as a module under test gets it. */
export interface ModuleTestEntity {
  /** For a processor what the sources have given, for a source what it asks for. By name; none unless given. */
  readonly inputs?: JsonObject;
  /** What the processor before it has come to; null unless given. */
  readonly value?: Json;
  /** What the modules before it have noted; nothing unless given. */
  readonly meta?: JsonObject;
  /** `entity-<position>` unless given. */
  readonly entityId?: string;
}

/** How a module is run in a test. */
export interface RunModuleOptions {
  /** As somebody would write them; defaults are filled in. */
  readonly settings?: JsonObject;
  /** The batch. */
  readonly entities: readonly ModuleTestEntity[];
  /** Whose values are computed: a text called `test` unless given. */
  readonly attribute?: Partial<
    Pick<Attribute, 'id' | 'name' | 'label' | 'dataType' | 'allowedValues'>
  >;
  /** What it gets as `services`: doubles of those that it uses. */
  readonly services?: Partial<Services>;
  /** The models of config.yml. */
  readonly models?: readonly ModelReference[];
  /** Labels of inputs, by their names. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Abort it to see what the module does then. */
  readonly signal?: AbortSignal;
  /** Gets what the module logs. */
  readonly report?: OperationReport;
}

/**
 * Runs one module of attribute pipelines on a batch as an activity does, without Temporal: settings checked and their defaults filled
 * in, its `process` called with JSON, its results checked.
 *
 * @example
 * ```ts
 * const [result] = await runModule(slug, { entities: [{ inputs: { title: 'Two Words' } }] });
 * ```
 *
 * @returns a result for each entity, in their order
 * @throws {@link InvalidSettings} for settings that do not fit, `ModuleBroken` for results that are none, whatever `process` throws
 */
export async function runModule(
  { definition }: AttributeModule,
  on: RunModuleOptions,
): Promise<readonly ModuleResult[]> {
  const { settings = {}, entities, models = [], labels = {} } = on;
  const { signal = new AbortController().signal, report = new OperationReport() } = on;
  const sandbox = new LazySandbox();
  try {
    const names = models.map(({ name }) => name);
    const checked = await checkedSettings(definition, settings, { sandbox, models: names });
    if ('problems' in checked) throw new InvalidSettings(definition.slug, checked.problems);
    const batch = entities.map(({ inputs = {}, value = null, meta = {}, entityId }, at) => ({
      // What modules get comes from a catalog.
      ...(JSON.parse(JSON.stringify({ inputs, value, meta })) as Required<
        Pick<ModuleTestEntity, 'inputs' | 'value' | 'meta'>
      >),
      entityId: entityId ?? `entity-${String(at)}`,
    }));
    return await resultsOf({ definition, settings: checked.settings }, batch, {
      signal,
      log: report.log,
      run: { id: 'attribute_pipeline/test.test/1', name: 'test.test', kind: 'attribute_pipeline' },
      services: on.services ?? {},
      model: (name) => {
        const model = models.find((known) => known.name === name);
        if (model === undefined) throw new TypeError(unknownName(name, names, 'model'));
        return model;
      },
      sandbox,
      attribute: {
        id: 'test',
        name: 'test',
        label: null,
        dataType: 'text',
        allowedValues: null,
        ...on.attribute,
      },
      limit: (concurrency) => pLimit(concurrency),
      sleep: (ms) => delay(ms, undefined, { signal }),
      labelOf: (input) => labels[input] ?? input,
      pipelineVersion: 1,
    });
  } finally {
    await sandbox.close();
  }
}

/** Started when used: most modules run no scripts. */
class LazySandbox implements Sandbox {
  #started: Sandbox | undefined;

  readonly run: Sandbox['run'] = (...args) => this.#sandbox.run(...args);
  readonly check: Sandbox['check'] = (code) => this.#sandbox.check(code);

  async close(): Promise<void> {
    await this.#started?.close();
  }

  get #sandbox(): Sandbox {
    return (this.#started ??= quickjsSandbox());
  }
}
