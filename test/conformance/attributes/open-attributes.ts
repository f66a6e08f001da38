import type { AttributeCatalogs } from '../../../src/attribute-pipeline/attribute-catalogs.js';
import {
  ATTRIBUTE_DEFAULTS,
  type Attribute,
  type AttributeSettings,
} from '../../../src/attribute-pipeline/attribute.js';
import { UNSET_PIPELINE, type PipelineInput } from '../../../src/attribute-pipeline/pipeline.js';

/** A catalog that is open, for one test. */
export interface OpenAttributes {
  readonly catalog: AttributeCatalogs;
  /** The same catalog over connections of its own; closed with the first one. */
  another(): Promise<AttributeCatalogs>;
}

/** Who does it in these tests, at noon. */
export const ANN = { principal: 'ann', now: new Date('2026-03-01T12:00:00.123Z') };

/** Some seconds after {@link ANN}. */
export function later(seconds: number): typeof ANN {
  return { ...ANN, now: new Date(ANN.now.getTime() + seconds * 1_000) };
}

/** Adds the type `product` with attributes by their names. */
export async function withProducts(
  { entities }: AttributeCatalogs,
  attributes: Readonly<Record<string, Partial<AttributeSettings>>>,
): Promise<readonly Attribute[]> {
  await entities.addEntityType({ name: 'product', label: 'Product', description: null }, ANN);
  const added: Attribute[] = [];
  for (const [name, settings] of Object.entries(attributes))
    added.push(
      await entities.addAttribute('product', { ...ATTRIBUTE_DEFAULTS, ...settings, name }, ANN),
    );
  return added;
}

/** A pipeline as somebody may want it. */
export function pipelineInput(
  inputs: readonly string[],
  change: Partial<PipelineInput> = {},
): PipelineInput {
  return {
    ...UNSET_PIPELINE,
    readsElsewhere: false,
    inputs,
    modules: [
      { module: 'attributes_source', settings: { attributes: [...inputs] } },
      { module: 'calculation', settings: { code: 'return 1' } },
    ],
    ...change,
  };
}
