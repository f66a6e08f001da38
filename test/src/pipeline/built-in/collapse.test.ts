import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { describeType } from '../../../../src/contract/compatibility.js';
import type { JsonObject } from '../../../../src/definition/json.js';
import { collapse } from '../../../../src/pipeline/built-in/collapse.js';
import { compileOperation, problemsOf, runOperation } from '../../../support/run-operation.js';

function collapsed(
  options: Readonly<Record<string, unknown>>,
  ...namespaces: JsonObject[]
): Promise<readonly JsonObject[]> {
  return runOperation(collapse, { options, namespaces });
}

describe('collapse', () => {
  it.each([
    ['collect', [1, 2, 2], [1, 2, 2]],
    ['distinct', [{ a: 1, b: 2 }, { b: 2, a: 1 }, 3], [{ a: 1, b: 2 }, 3]],
    ['sum', [1, 2.5, 3], 6.5],
    ['concat', ['a', 'b'], 'ab'],
    ['concat', [[1], [2, 3]], [1, 2, 3]],
    ['first', ['a', 'b'], 'a'],
    ['last', ['a', 'b'], 'b'],
    ['equal', [{ a: [1] }, { a: [1] }], { a: [1] }],
  ])('puts values together by %s', async (strategy, values, expected) => {
    const namespaces = values.map((x) => ({ x, title: 'T' }));

    expect(await collapsed({ properties: { x: strategy } }, ...namespaces)).toEqual([
      { x: expected, title: 'T' },
    ]);
  });

  it.each([
    ['collect', [1, 2]],
    ['distinct', [1, 2]],
    ['sum', 3],
    ['first', 1],
    ['last', 2],
  ])('skips nulls and absent values under %s', async (strategy, expected) => {
    const namespaces = [{ x: null }, { x: 1 }, {}, { x: 2 }, { x: null }];

    expect(await collapsed({ properties: { x: strategy } }, ...namespaces)).toEqual([
      { x: expected },
    ]);
  });

  it.each([
    ['collect', { x: [] }],
    ['distinct', { x: [] }],
    ['sum', { x: 0 }],
    ['concat', { x: null }],
    ['equal', { x: null }],
  ])('has a result of nothing but nulls under %s', async (strategy, expected) => {
    expect(await collapsed({ properties: { x: strategy } }, { x: null }, {})).toEqual([expected]);
  });

  it('gives a result another name, and the property itself is gone', async () => {
    const options = { properties: { page: { strategy: 'collect', as: 'pages' } } };

    expect(await collapsed(options, { page: 'a' }, { page: 'b' })).toEqual([{ pages: ['a', 'b'] }]);
  });

  it('joins texts with a separator', async () => {
    const options = { properties: { text: { strategy: 'concat', separator: '\n' } } };

    expect(await collapsed(options, { text: 'a' }, { text: null }, { text: 'b' })).toEqual([
      { text: 'a\nb' },
    ]);
  });

  it('refuses to choose between different values under equal', async () => {
    const long = 'x'.repeat(200);

    await expect(
      collapsed({}, { page: 1, text: 'same' }, { page: long, text: 'same' }),
    ).rejects.toMatchObject({
      type: 'CollapseConflict',
      message: expect.stringMatching(/"page" is 1 in one namespace and "x{59}… in another/),
      details: { property: 'page', values: ['1', `"${'x'.repeat(59)}…`] },
    });
  });

  it('refuses to join texts and lists', async () => {
    await expect(
      collapsed({ properties: { x: 'concat' } }, { x: 'a' }, { x: [1] }),
    ).rejects.toMatchObject({
      type: 'CollapseConflict',
    });
  });

  it('refuses to sum what is no number', async () => {
    await expect(collapsed({ properties: { x: 'sum' } }, { x: 'a' })).rejects.toThrow(
      "Property 'x' expected number, got string",
    );
  });

  it.each([
    ['first', 1],
    ['last', 3],
  ])(
    'takes unlisted properties from the %s namespace by default: %s',
    async (strategy, expected) => {
      const namespaces = [{ page: 1 }, { page: 2 }, { page: 3, extra: null }];

      expect((await collapsed({ default: strategy }, ...namespaces))[0]).toMatchObject({
        page: expected,
      });
    },
  );

  it('carries on what is not listed, whichever namespaces have it', async () => {
    const namespaces = [
      { a: 1, b: 2 },
      { a: 1, c: 3 },
      { a: 1, b: null },
    ];

    expect(await collapsed({}, ...namespaces)).toEqual([{ a: 1, b: 2, c: 3 }]);
    expect(await collapsed({ default: 'last' }, ...namespaces)).toEqual([{ a: 1, b: 2, c: 3 }]);
    expect(await collapsed({ default: 'first' }, { b: null }, { b: 2 }, { b: 3 })).toEqual([
      { b: 2 },
    ]);
    await expect(collapsed({}, { a: 1 }, { b: 2 }, { b: 3 })).rejects.toMatchObject({
      type: 'CollapseConflict',
    });
  });

  it('has null for what is nothing but null, under another name, too', async () => {
    const options = { properties: { x: { strategy: 'first', as: 'y' } } };

    expect(await collapsed(options, { x: null }, {})).toEqual([{ y: null }]);
    expect(await collapsed(options, {}, {})).toEqual([{}]);
  });

  it('takes namespaces that lack what it was told would be there', async () => {
    const options = { properties: { words: 'sum', by: 'first' } };

    expect(
      await runOperation(collapse, {
        options,
        input: { by: z.string(), words: z.number() },
        namespaces: [{ words: 1 }, {}, { words: 2 }],
      }),
    ).toEqual([{ words: 3 }]);
  });

  it('makes one namespace for each value that it groups by', async () => {
    const options = { group_by: 'author', properties: { words: 'sum' } };
    const namespaces = [
      { author: 'A', words: 1 },
      { author: 'B', words: 2 },
      { author: 'A', words: 4 },
      { words: 8 },
      { author: null, words: 16 },
    ];

    expect(await collapsed(options, ...namespaces)).toEqual([
      { author: 'A', words: 5 },
      { author: 'B', words: 2 },
      { words: 24 },
    ]);
  });

  it('cannot make one namespace of none, but no groups', async () => {
    await expect(collapsed({})).rejects.toMatchObject({ type: 'CollapseEmpty' });
    expect(await collapsed({ group_by: 'author' })).toEqual([]);
  });

  it('knows the types of its results', () => {
    const { pipeline } = compileOperation(collapse, {
      options: {
        properties: { page: { strategy: 'collect', as: 'pages' }, words: 'sum', text: 'concat' },
      },
      input: {
        page: z.string().nullable(),
        words: z.number(),
        text: z.string(),
        title: z.string(),
      },
    });

    const types = Object.entries(pipeline!.output).map(([name, type]) => [
      name,
      describeType(type),
    ]);
    expect(Object.fromEntries(types)).toEqual({
      pages: 'array of string',
      words: 'number',
      text: 'string',
      title: 'string',
    });
  });

  it('finds at load that a listed property cannot be summed, or comes from nowhere', () => {
    const input = { words: z.string() };

    expect(problemsOf(collapse, { options: { properties: { words: 'sum' } }, input })).toEqual([
      expect.stringContaining('reads "words" as number or null, but the input has it as string'),
    ]);
    expect(problemsOf(collapse, { options: { properties: { wrods: 'first' } }, input })).toEqual([
      expect.stringContaining('reads "wrods", which nothing sets'),
    ]);
  });

  it.each([
    [
      'two results of one name',
      { properties: { a: { strategy: 'sum', as: 'x' }, x: 'sum' } },
      '"x" is already what "a" becomes',
    ],
    [
      'a separator for a sum',
      { properties: { a: { strategy: 'sum', separator: ',' } } },
      'only concat has a separator',
    ],
    [
      'a strategy for what it groups by',
      { group_by: 'a', properties: { a: 'first' } },
      'grouped by',
    ],
    ['an unknown strategy', { properties: { a: 'average' } }, 'a'],
    [
      'a default that is no value of one namespace',
      { default: 'sum' },
      'expected one of "equal", "first", "last"',
    ],
  ])('refuses %s at load', (_what, options, message) => {
    expect(problemsOf(collapse, { options })).toEqual([expect.stringContaining(message)]);
  });
});
