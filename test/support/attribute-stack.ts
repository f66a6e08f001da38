import { afterEach } from '@jest/globals';
import { ulid } from 'ulid';
import type { Attributes, WrittenPipeline } from '../../engine/attribute-pipeline/attributes.js';
import {
  ATTRIBUTE_DEFAULTS,
  type AttributeSettings,
} from '../../src/attribute-pipeline/attribute.js';
import type { AttributeModule } from '../../src/attribute-pipeline/module.js';
import type { AttributePipeline } from '../../src/attribute-pipeline/pipeline.js';
import type { JsonObject } from '../../src/definition/json.js';
import {
  createTestEnvironment,
  type TestEnvironment,
  type TestEnvironmentSettings,
} from '../../testing/test-environment.js';
import { sharedServerAddress } from './temporal.js';

/** Who does things in these tests. */
export function by(principal = 'ann'): { readonly principal: string; readonly now: Date } {
  return { principal, now: new Date() };
}

/** A project that computes attributes of one entity type, whose name nobody else has. */
export class AttributeStack {
  private constructor(
    readonly env: TestEnvironment,
    readonly attributes: Attributes,
    readonly type: string,
  ) {}

  static async start(
    settings: TestEnvironmentSettings & { readonly modules?: readonly AttributeModule[] },
    attributes: Readonly<Record<string, Partial<AttributeSettings>>>,
  ): Promise<AttributeStack> {
    const env = await createTestEnvironment({
      ...settings,
      env: { TEMPORAL_ADDRESS: sharedServerAddress() },
    });
    const type = `product_${ulid().toLowerCase()}`;
    const stack = new AttributeStack(env, await env.engine.attributes(), type);
    const { entities } = stack.attributes;
    await entities.addEntityType({ name: type, label: 'Product', description: null }, by());
    for (const [name, given] of Object.entries(attributes))
      await entities.addAttribute(type, { ...ATTRIBUTE_DEFAULTS, ...given, name }, by());
    return stack;
  }

  /** Saves products by their keys. */
  async save(products: Readonly<Record<string, JsonObject>>): Promise<readonly string[]> {
    const inputs = Object.entries(products).map(([key, values]) => ({ key, values }));
    const saved = await this.attributes.entities.saveEntities(this.type, inputs, by());
    return saved.map(({ id }) => id);
  }

  /** Adds the pipeline of an attribute: a calculation of others. */
  async calculate(
    attribute: string,
    inputs: readonly string[],
    code: string,
    settings: Partial<WrittenPipeline> = {},
  ): Promise<AttributePipeline> {
    return this.attributes.addPipeline(
      { entityType: this.type, attribute },
      {
        modules: [
          { module: 'attributes_source', settings: { attributes: [...inputs] } },
          { module: 'calculation', settings: { code } },
        ],
        ...settings,
      },
      by(),
    );
  }

  /** Where the pipeline of an attribute is. */
  place(attribute: string): { readonly entityType: string; readonly attribute: string } {
    return { entityType: this.type, attribute };
  }

  /** Current values of an attribute by the keys of the products; those of whom there is none are not there. */
  async values(attribute: string): Promise<Readonly<Record<string, unknown>>> {
    const { items } = await this.attributes.entities.entities(this.type, { limit: 1_000 });
    return Object.fromEntries(
      items.flatMap(({ key, values }) => {
        const value = values[attribute];
        return value === undefined ? [] : [[key ?? '', value.current]];
      }),
    );
  }
}

/** Gives each test projects that compute attributes, and stops their workers after it. */
export function useAttributeStacks(): typeof AttributeStack.start {
  const running: AttributeStack[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map(({ env }) => env.stop()));
  });
  return async (settings, attributes) => {
    const stack = await AttributeStack.start(settings, attributes);
    running.push(stack);
    return stack;
  };
}
