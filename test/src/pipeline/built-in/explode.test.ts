import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { describeType } from '../../../../src/contract/compatibility.js';
import { explode, EXPLODE_LIMITS } from '../../../../src/pipeline/built-in/explode.js';
import { compileOperation, problemsOf, runOperation } from '../../../support/run-operation.js';

describe('explode', () => {
  it('makes a namespace of each item, with everything else carried along', async () => {
    const options = { split: { pages: 'page', numbers: 'number' } };
    const namespaces = [{ title: 'T', pages: ['a', 'b'], numbers: [1, 2] }];

    expect(await runOperation(explode, { options, namespaces })).toEqual([
      { title: 'T', page: 'a', number: 1 },
      { title: 'T', page: 'b', number: 2 },
    ]);
  });

  it('splits several namespaces in their order, each by its own length', async () => {
    const options = { split: { pages: 'page' } };
    const namespaces = [
      { id: 1, pages: ['a', 'b'] },
      { id: 2, pages: [] },
      { id: 3, pages: [null] },
    ];

    expect(await runOperation(explode, { options, namespaces })).toEqual([
      { id: 1, page: 'a' },
      { id: 1, page: 'b' },
      { id: 3, page: null },
    ]);
  });

  it('can give the items the name of their list', async () => {
    const options = { split: { pages: 'pages' } };

    expect(await runOperation(explode, { options, namespaces: [{ pages: ['a', 'b'] }] })).toEqual([
      { pages: 'a' },
      { pages: 'b' },
    ]);
  });

  it('can give the items of one list the name of another', async () => {
    const options = { split: { a: 'b', b: 'c' } };

    expect(await runOperation(explode, { options, namespaces: [{ a: [1], b: [2] }] })).toEqual([
      { b: 1, c: 2 },
    ]);
  });

  it('refuses lists of different lengths, and names the lengths', async () => {
    const options = { split: { pages: 'page', numbers: 'number' } };
    const namespaces = [{ pages: ['a', 'b', 'c'], numbers: [1, 2] }];

    await expect(runOperation(explode, { options, namespaces })).rejects.toMatchObject({
      type: 'ExplodeLengths',
      message: expect.stringContaining('"pages" has 3, "numbers" has 2'),
      details: { namespace: 0, lengths: { pages: 3, numbers: 2 } },
    });
  });

  it('fails on an empty list where on_empty says so', async () => {
    const options = { split: { pages: 'page' }, on_empty: 'error' };

    await expect(
      runOperation(explode, { options, namespaces: [{ pages: [] }] }),
    ).rejects.toMatchObject({
      type: 'ExplodeEmpty',
      message: expect.stringContaining('"pages" of namespace 0 is empty'),
    });
  });

  it('refuses what is no list', async () => {
    const options = { split: { pages: 'page' } };

    await expect(
      runOperation(explode, { options, namespaces: [{ pages: 'text' }] }),
    ).rejects.toThrow("Property 'pages' expected array, got string");
  });

  it('makes at most a limited number of namespaces', async () => {
    const options = { split: { items: 'item' } };
    const items = Array.from({ length: EXPLODE_LIMITS.maxNamespaces + 1 }, () => 0);

    await expect(runOperation(explode, { options, namespaces: [{ items }] })).rejects.toMatchObject(
      {
        type: 'ExplodeLimit',
        message: expect.stringContaining('maxNamespaces'),
      },
    );
  });

  it('takes a list that may be absent for an empty one', async () => {
    const options = { split: { pages: 'page' } };
    const input = { pages: z.array(z.string()).optional() };
    const namespaces = [{}, { pages: ['a'] }];

    expect(await runOperation(explode, { options, input, namespaces })).toEqual([{ page: 'a' }]);
    await expect(runOperation(explode, { options, namespaces })).rejects.toThrow(
      "Property 'pages' expected array, got undefined",
    );
  });

  it('knows the type of the items', () => {
    const { pipeline } = compileOperation(explode, {
      options: { split: { pages: 'page' } },
      input: { pages: z.array(z.string()).optional() },
    });

    expect(Object.keys(pipeline!.output)).toEqual(['page']);
    expect(describeType(pipeline!.output['page']!)).toBe('string');
  });

  it('refuses at load to split what is known to be no list', () => {
    expect(
      problemsOf(explode, { options: { split: { text: 'page' } }, input: { text: z.string() } }),
    ).toEqual([
      expect.stringContaining('reads "text" as array of any value, but the input has it as string'),
    ]);
  });

  it.each([
    ['no list at all', { split: {} }, 'names no list'],
    [
      'two lists whose items get one name',
      { split: { a: 'x', b: 'x' } },
      '"x" is already what items of "a" are called',
    ],
    [
      'an unknown on_empty',
      { split: { a: 'b' }, on_empty: 'fail' },
      'expected one of "skip", "error"',
    ],
  ])('refuses %s at load', (_what, options, message) => {
    expect(problemsOf(explode, { options })).toEqual([expect.stringContaining(message)]);
  });
});
