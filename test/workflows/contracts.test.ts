import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { link } from '../../src/pipeline/built-in/link.js';
import type { JsonObject } from '../../src/definition/json.js';
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

describe('a property that may be absent', () => {
  const maybe = defineOperation({
    name: 'maybe',
    reads: z.object({ give: z.boolean() }),
    sets: z.object({ note: z.string().optional() }),
    quick: true,
    run: ({ input }) => (input.give ? { note: 'x' } : {}),
  });

  it('is copied where it is there, and left out where it is not', async () => {
    const { engine } = await stack(
      pipelineOf([
        { name: 'one', operations: [maybe] },
        { name: 'two', operations: [{ type: link, options: { copy: { note: 'remark' } } }] },
      ]),
    );

    expect((await engine.execute('p', { give: true })).result).toEqual({
      give: true,
      note: 'x',
      remark: 'x',
    });
    expect((await engine.execute('p', { give: false })).result).toEqual({ give: false });
  });

  it('is missed where an ignored error has left out what was needed', async () => {
    const fails = defineOperation({
      name: 'fails',
      sets: z.object({ note: z.string() }),
      quick: true,
      ignoreErrors: true,
      retry: { maximumAttempts: 1 },
      run: () => {
        throw new Error('no');
      },
    });
    const { engine } = await stack(
      pipelineOf([
        { name: 'one', operations: [fails] },
        { name: 'two', operations: [{ type: link, options: { copy: { note: 'remark' } } }] },
      ]),
    );

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      failure: { operation: 'link', message: "Property 'note' expected a value, got undefined" },
    });
  });
});

describe('properties called like members of every object', () => {
  const NAMES = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'];

  it.each([true, false])('flow like others (quick: %s)', async (quick) => {
    const all = (type: z.ZodType): z.ZodObject =>
      z.object(Object.fromEntries(NAMES.map((name) => [name, type])));
    const number = defineOperation({
      name: 'number',
      quick,
      reads: all(z.string()),
      sets: all(z.number()),
      run: ({ input }) =>
        Object.fromEntries(NAMES.map((name) => [name, Number((input as JsonObject)[name])])),
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [number] }]));
    const given = Object.fromEntries(NAMES.map((name, index) => [name, String(index)]));

    const { result } = await engine.execute('p', given);

    expect(Object.entries(result as JsonObject)).toEqual(NAMES.map((name, index) => [name, index]));
    await expect(engine.start('p', {})).rejects.toThrow(
      "Property 'constructor' expected string, got undefined",
    );
  });
});

describe('a declared output', () => {
  it('is checked at the end where contracts leave it open, also in several namespaces', async () => {
    const words = setter('words', 'words', ['a', 7], { quick: true });
    const stages = [{ name: 'one', operations: [words] }];
    const output = z.object({ words: z.array(z.string()) });
    const failure = {
      type: 'contract_violation',
      message: "The result is not as declared: Property 'words[1]' expected string, got number",
      retryable: false,
    };
    const one = await stack(pipelineOf(stages, { output }));
    await expect(one.engine.execute('p', {})).rejects.toMatchObject({ status: 'failed', failure });

    const all = await stack(pipelineOf(stages, { output, result: 'all' }));
    await expect(all.engine.execute('p', {})).rejects.toMatchObject({
      failure: {
        message: expect.stringContaining("Property '[0].words[1]' expected string, got number"),
      },
    });

    const fits = await stack(
      pipelineOf(stages, { output: z.object({ words: z.array(z.unknown()).max(2) }) }),
    );
    expect((await fits.engine.execute('p', {})).result).toEqual({ words: ['a', 7] });
  });
});
