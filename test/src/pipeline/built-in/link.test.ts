import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { describeType } from '../../../../src/contract/compatibility.js';
import { ContractViolation } from '../../../../src/contract/violation.js';
import { link } from '../../../../src/pipeline/built-in/link.js';
import { compileOperation, problemsOf, runOperation } from '../../../support/run-operation.js';

describe('link', () => {
  it('copies, moves, sets and deletes in one step', async () => {
    const options = {
      copy: { title: 'headline' },
      move: { body: 'text' },
      set: { language: 'en', tags: ['a'], draft: null },
      delete: ['note'],
    };
    const namespaces = [{ title: 'T', body: 'B', note: 'N', other: 1 }];

    expect(await runOperation(link, { options, namespaces })).toEqual([
      { title: 'T', headline: 'T', text: 'B', language: 'en', tags: ['a'], draft: null, other: 1 },
    ]);
  });

  it('swaps two properties that are moved to each other', async () => {
    const options = { move: { a: 'b', b: 'a' } };

    expect(await runOperation(link, { options, namespaces: [{ a: 1, b: 2 }] })).toEqual([
      { a: 2, b: 1 },
    ]);
  });

  it('does so to every namespace', async () => {
    const options = { move: { a: 'b' } };

    expect(await runOperation(link, { options, namespaces: [{ a: 1 }, { a: [2] }] })).toEqual([
      { b: 1 },
      { b: [2] },
    ]);
  });

  it('carries the types of what it copies, and knows those of what it sets', () => {
    const { pipeline } = compileOperation(link, {
      options: { copy: { words: 'count' }, move: { tags: 'labels' }, set: { ready: true } },
      input: { words: z.number().int(), tags: z.array(z.string()) },
    });

    const types = Object.entries(pipeline!.output).map(([name, type]) => [
      name,
      describeType(type),
    ]);
    expect(Object.fromEntries(types)).toEqual({
      words: 'integer',
      count: 'integer',
      labels: 'array of string',
      ready: 'boolean',
    });
  });

  it('makes what it copies part of the input', () => {
    const { pipeline } = compileOperation(link, { options: { move: { body: 'text' } } });

    expect(pipeline?.inputSchema).toMatchObject({ properties: { body: {} }, required: ['body'] });
    expect(Object.keys(pipeline!.output)).toEqual(['text']);
  });

  it('refuses a namespace that lacks what is to be copied', async () => {
    const running = runOperation(link, { options: { copy: { a: 'b' } }, namespaces: [{}] });

    await expect(running).rejects.toThrow(ContractViolation);
    await expect(running).rejects.toThrow("Property 'a' expected a value, got undefined");
  });

  it('leaves out what may be absent, and is', async () => {
    const options = { copy: { a: 'b' }, move: { c: 'd' } };
    const input = { a: z.string().optional(), c: z.number().optional(), d: z.number() };
    const namespaces = [{ a: 'x', c: 1, d: 2 }, { d: 2 }];

    expect(await runOperation(link, { options, input, namespaces })).toEqual([
      { a: 'x', b: 'x', d: 1 },
      { d: 2 },
    ]);
    const { pipeline } = compileOperation(link, { options, input });
    expect(pipeline?.outputSchema).toMatchObject({ items: { required: ['d'] } });
  });

  it.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty'])(
    'treats %s as any other name',
    async (name) => {
      const copying = { copy: { [name]: 'copied' } };
      await expect(runOperation(link, { options: copying, namespaces: [{}] })).rejects.toThrow(
        `Property '${name}' expected a value, got undefined`,
      );
      expect(await runOperation(link, { options: copying, namespaces: [{ [name]: 1 }] })).toEqual([
        { [name]: 1, copied: 1 },
      ]);
      const options = { move: { a: name }, delete: ['b'] };
      expect(await runOperation(link, { options, namespaces: [{ a: 1, b: 2 }] })).toEqual([
        { [name]: 1 },
      ]);
      expect(
        await runOperation(link, { options: { set: { x: 1 }, delete: [name] }, namespaces: [{}] }),
      ).toEqual([{ x: 1 }]);
    },
  );

  it('refuses the one name that no property can have', () => {
    const written = JSON.parse(
      '{ "copy": { "__proto__": "a" }, "set": { "b": { "__proto__": 1 } } }',
    ) as object;

    expect(problemsOf(link, { options: { ...written } })).toEqual([
      expect.stringContaining("option 'copy.__proto__' is not allowed"),
      expect.stringContaining("option 'set.b.__proto__' is not allowed"),
    ]);
    expect(problemsOf(link, { options: { copy: { a: '__proto__' } } })).toEqual([
      expect.stringContaining('no property can be called __proto__'),
    ]);
  });

  it.each([
    [
      'two copies to one target',
      { copy: { a: 'c', b: 'c' } },
      '"c" is already the target of copy: { a: c }',
    ],
    [
      'a copy and a value',
      { copy: { a: 'c' }, set: { c: 1 } },
      '"c" is already the target of copy: { a: c }',
    ],
    [
      'a target that is deleted',
      { set: { c: 1 }, delete: ['c'] },
      '"c" is also the target of set: { c: … }',
    ],
    [
      'a move and a delete of the same',
      { move: { a: 'b' }, delete: ['a'] },
      '"a" is already gone by move: { a: … }',
    ],
    ['a move to its own name', { move: { a: 'a' } }, '"a" already has that name'],
  ])('refuses %s at load', (_what, options, message) => {
    expect(problemsOf(link, { options })).toEqual([expect.stringContaining(message)]);
  });

  it('names a wrong option and the one that was meant', () => {
    expect(problemsOf(link, { options: { mov: { a: 'b' } } })).toEqual([
      expect.stringContaining('unknown option "mov". Did you mean "move"?'),
    ]);
  });
});
