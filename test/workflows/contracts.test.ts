import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  defineGenericOperation,
  defineOperation,
  type Operation,
} from '../../src/pipeline/operation.js';
import { pipelineOf, setter } from '../support/definitions.js';
import { codeOf, useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

describe('contracts at run time', () => {
  it.each([
    {
      what: 'an undeclared property',
      returned: { y: 1 },
      message: "Property 'y' was set, but is not among the declared sets",
    },
    {
      what: 'a wrong type',
      returned: { x: 'one' },
      message: "Property 'x' expected number, got string",
    },
    {
      what: 'an undeclared delete',
      returned: { x: 1, z: undefined },
      message: "Property 'z' was deleted",
    },
  ])('refuse $what, without a retry', async ({ returned, message }) => {
    const wrong = defineGenericOperation({
      name: 'wrong',
      contract: () => ({ sets: { x: z.number() } }),
      run: () => returned as { x: number },
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [wrong] }]));

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      failure: {
        type: 'contract_violation',
        message: expect.stringContaining(message),
        attempts: 1,
      },
    });
  });

  it('read what they transform once', async () => {
    const double = defineOperation({
      name: 'double',
      reads: z.object({ n: z.string().transform(Number), by: z.number().default(2) }),
      sets: z.object({ doubled: z.number() }),
      run: ({ input }) => ({ doubled: input.n * input.by }),
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [double] }]));

    expect((await engine.execute('p', { n: '5' })).result).toEqual({ n: '5', doubled: 10 });
  });

  it('tell the first violations of many, at once', async () => {
    const numbers = defineOperation({
      name: 'numbers',
      reads: z.object({ list: z.array(z.number()) }),
      run: () => ({}),
    });
    const texts = setter(
      'texts',
      'list',
      Array.from({ length: 60_000 }, () => 'x'),
    );
    const { engine } = await stack(
      pipelineOf([
        { name: 'one', operations: [texts] },
        { name: 'two', operations: [numbers] },
      ]),
    );

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      status: 'failed',
      failure: {
        type: 'contract_violation',
        message: expect.stringMatching(
          /^Property 'list\[0\]' expected number, got string.* and 59980 more$/,
        ),
      },
    });
  });

  it('refuse a run whose plan was made for another contract, and name it', async () => {
    const version = (type: z.ZodType): Operation =>
      defineOperation({ name: 'op', sets: z.object({ x: type }), run: () => ({ x: 1 }) });
    const old = pipelineOf([{ name: 's', operations: [version(z.number())] }]);
    const { engine, startWorker } = await stack({ ...old, worker: false });
    const run = await engine.start('p', {});

    await startWorker(codeOf(pipelineOf([{ name: 's', operations: [version(z.string())] }])));

    await expect(run.result()).rejects.toMatchObject({
      failure: { type: 'ContractChanged', operation: 'op' },
    });
  });
});
