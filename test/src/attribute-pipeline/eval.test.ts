import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { passes, type Comparison } from '../../../src/attribute-pipeline/eval.js';
import type { Json } from '../../../src/definition/json.js';

const text = (ignoreCase: boolean, ignoreWhitespace: boolean): Comparison => ({
  kind: 'text',
  ignoreCase,
  ignoreWhitespace,
});

describe('an output is compared with what is wanted', () => {
  it.each<readonly [Comparison, Json, Json, boolean]>([
    [{ kind: 'exact' }, { a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ kind: 'exact' }, 'Red', 'red', false],
    [{ kind: 'exact' }, null, null, true],
    [{ kind: 'number', tolerance: 0.5 }, 10, 10.5, true],
    [{ kind: 'number', tolerance: 0.5 }, 10, 10.6, false],
    [{ kind: 'number', tolerance: 1 }, 10, '10', false],
    [text(true, false), 'Red', 'rED', true],
    [text(false, false), 'Red', 'red', false],
    [text(true, true), ' deep  red\n', 'Deep red', true],
    [text(true, false), 'deep red', 'deep  red', false],
    [text(true, true), 'red', null, false],
    [{ kind: 'set' }, ['a', 'b'], ['b', 'a', 'a'], true],
    [{ kind: 'set' }, ['a', 'b'], ['a'], false],
    [{ kind: 'set' }, ['a'], 'a', false],
    [{ kind: 'subset' }, { a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }, true],
    [{ kind: 'subset' }, { a: { b: 1 } }, { a: { c: 2 } }, false],
    [{ kind: 'subset' }, [1, 3], [3, 2, 1], true],
    [{ kind: 'subset' }, { a: null }, {}, false],
    [{ kind: 'subset' }, [1], { 0: 1 }, false],
  ])('%j: wanted %j, got %j: %s', (comparison, desired, actual, passed) => {
    expect(passes(comparison, desired, actual)).toBe(passed);
  });

  it('is what is wanted when it is the same, however it is compared', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // It is JSON.
        const json = JSON.parse(JSON.stringify(value)) as Json;
        expect(passes({ kind: 'exact' }, json, json)).toBe(true);
        expect(passes({ kind: 'subset' }, json, json)).toBe(true);
      }),
    );
  });
});
