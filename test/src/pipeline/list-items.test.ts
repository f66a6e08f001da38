import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { exampleInput } from '../../../src/contract/example-input.js';
import { BUILT_IN_OPERATIONS } from '../../../src/pipeline/built-in/catalog.js';
import { defineOperation, type Operation } from '../../../src/pipeline/operation.js';
import type { OperationUse } from '../../../src/pipeline/pipeline.js';
import { compile, ENVIRONMENT, pipeline } from '../../support/compiling.js';

const order = defineOperation({
  name: 'order',
  reads: z.object({ sku: z.string().min(3), quantity: z.number().int() }),
  run: () => ({}),
});
const explode: OperationUse = {
  type: 'explode',
  options: { split: { skus: 'sku', quantities: 'quantity' } },
};

/** The input schema of a pipeline that uses these operations one after the other. */
function inputOf(
  uses: readonly (string | OperationUse)[],
  input?: z.ZodObject,
): { readonly schema: unknown; readonly example: unknown } {
  const operations = [...BUILT_IN_OPERATIONS, order] as readonly Operation[];
  const stages = uses.map((use, at) => ({ name: `s${String(at)}`, operations: [use] }));
  const { pipeline: compiled } = compile(
    pipeline({ result: 'all', stages, ...(input !== undefined && { input }) }),
    { ...ENVIRONMENT, operations: new Map(operations.map((each) => [each.name, each])) },
  );
  return {
    schema: compiled?.inputSchema['properties'],
    example: compiled === undefined ? undefined : exampleInput(compiled),
  };
}

const KNOWN = {
  skus: { type: 'array', items: { type: 'string', minLength: 3 } },
  quantities: { type: 'array', items: { type: 'integer' } },
};

describe('the items of a list of the input', () => {
  it('are what later stages read of them', () => {
    const { schema, example } = inputOf([explode, 'order']);
    expect(schema).toMatchObject(KNOWN);
    expect(example).toMatchObject({ quantities: [1] });
  });

  it('may be called like their list', () => {
    const use = { type: 'explode', options: { split: { sku: 'sku', quantity: 'quantity' } } };
    expect(inputOf([use, 'order']).schema).toMatchObject({
      sku: KNOWN.skus,
      quantity: KNOWN.quantities,
    });
  });

  it('may be anything where some of them may be dropped before, or may be wrong', () => {
    const filter = { type: 'filter', options: { where: { quantity: { exists: true } } } };
    const open = { skus: { type: 'array', items: {} }, quantities: { type: 'array', items: {} } };
    expect(inputOf([explode, filter, 'order']).schema).toEqual(open);
    const lenient = { type: 'order', ignoreErrors: true };
    expect(inputOf([explode, lenient]).schema).toEqual(open);
    expect(inputOf([explode, 'log']).schema).toEqual(open);
  });

  it('are what the input declares, where it does', () => {
    const input = z.object({ skus: z.array(z.string()), quantities: z.array(z.number()) });
    expect(inputOf([explode, 'order'], input).schema).toEqual({
      skus: { type: 'array', items: { type: 'string' } },
      quantities: { type: 'array', items: { type: 'number' } },
    });
  });
});
