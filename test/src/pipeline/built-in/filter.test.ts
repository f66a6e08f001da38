import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { Json } from '../../../../src/definition/json.js';
import { filter } from '../../../../src/pipeline/built-in/filter.js';
import { problemsOf, runOperation } from '../../../support/run-operation.js';

/** The values, of those that `x` has in a namespace each, that a condition keeps. Undefined: no `x` at all. */
async function kept(condition: unknown, ...values: (Json | undefined)[]): Promise<unknown[]> {
  const namespaces = values.map((x) => (x === undefined ? {} : { x }));
  const left = await runOperation(filter, { options: { where: { x: condition } }, namespaces });
  return left.map((namespace) => namespace['x']);
}

describe('filter', () => {
  it('keeps the namespaces that satisfy every condition, unchanged and in order', async () => {
    const options = { where: { language: 'en', score: { gte: 0.5, lt: 1 } } };
    const namespaces = [
      { language: 'en', score: 0.5, page: 1 },
      { language: 'de', score: 0.5, page: 2 },
      { language: 'en', score: 1, page: 3 },
      { language: 'en', score: 0.9, page: 4 },
    ];

    const left = await runOperation(filter, { options, namespaces });

    expect(left.map(({ page }) => page)).toEqual([1, 4]);
    expect(left[0]).toEqual(namespaces[0]);
  });

  it('drops them instead where it is told so, and may leave none', async () => {
    const options = { where: { a: 1 }, matching: 'drop' };

    expect(await runOperation(filter, { options, namespaces: [{ a: 1 }, { a: 2 }] })).toEqual([
      { a: 2 },
    ]);
    expect(await runOperation(filter, { options, namespaces: [{ a: 1 }] })).toEqual([]);
  });

  it.each<[string, unknown, (Json | undefined)[], unknown[]]>([
    ['an equal value', 'a', ['a', 'b', null], ['a']],
    ['an equal list', [1, { a: 2, b: 3 }], [[1, { b: 3, a: 2 }], [1]], [[1, { b: 3, a: 2 }]]],
    ['an equal object', { eq: { a: 1 } }, [{ a: 1 }, { a: 2 }], [{ a: 1 }]],
    ['null, which what is absent equals', null, [null, 0, undefined], [null, undefined]],
    ['another value', { ne: 1 }, [1, 2, undefined], [2, undefined]],
    ['a greater number', { gt: 1 }, [1, 2, '3', null], [2]],
    [
      'a text in order',
      { gte: '2026-02', lte: '2026-03' },
      ['2026-01', '2026-02', '2026-03', 5],
      ['2026-02', '2026-03'],
    ],
    ['a smaller number', { lt: 1 }, [1, 0, undefined], [0]],
    ['one of some values', { in: [1, 'a', null] }, [1, 'b', 'a', undefined], [1, 'a', undefined]],
    ['a text in a text', { contains: '.*' }, ['a.*b', 'ab', null], ['a.*b']],
    ['a value in a list', { contains: 2 }, [[1, 2], [3], 2], [[1, 2]]],
    ['that it is there', { exists: true }, [0, '', null, undefined], [0, '']],
    ['that it is not there', { exists: false }, [0, null, undefined], [null, undefined]],
  ])('asks for %s', async (_what, condition, values, expected) => {
    expect(await kept(condition, ...values)).toEqual(expected);
  });

  it.each([
    ['no condition', { where: {} }, 'it has no condition'],
    [
      'a wrong comparison',
      { where: { a: { gtt: 1 } } },
      '"gtt" is no comparison. Did you mean "gt"?',
    ],
    ['an empty comparison', { where: { a: {} } }, 'it has no comparison'],
    [
      'a comparison with what has no order',
      { where: { a: { lt: [1] } } },
      'lt takes a number or a text',
    ],
  ])('refuses %s at load', (_what, options, message) => {
    expect(problemsOf(filter, { options })).toEqual([expect.stringContaining(message)]);
  });

  it('finds at load a property that nothing sets', () => {
    expect(
      problemsOf(filter, {
        options: { where: { scroe: { gt: 1 } } },
        input: { score: z.number() },
      }),
    ).toEqual([expect.stringContaining('reads "scroe", which nothing sets')]);
  });
});
