import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { validateInput, validateReads, validateSets } from '../../../src/contract/validation.js';
import { EMPTY_CONTRACT, type Contract } from '../../../src/contract/contract.js';
import type { JsonObject } from '../../../src/definition/json.js';
import {
  ContractViolation,
  formatPath,
  parsePath,
  violationsOf,
} from '../../../src/contract/violation.js';

describe('a path', () => {
  it.each<[(string | number)[], string]>([
    [['text'], 'text'],
    [['records', 2, 'tags', 0], 'records[2].tags[0]'],
    [['copy', 'odd name'], 'copy["odd name"]'],
    [['copy', 'a.b', 'c'], 'copy["a.b"].c'],
    [['a]"[b', 0], '["a]\\"[b"][0]'],
    [['10', 10], '["10"][10]'],
    [['', 'x'], '[""].x'],
    [[], ''],
  ])('%j is written as %s, and read again', (parts, text) => {
    expect(formatPath(parts)).toBe(text);
    expect(parsePath(text)).toEqual(parts);
  });
});

const RECORDS = z.array(z.object({ tags: z.array(z.string()) }));

describe('a violation', () => {
  it('has the path into nested lists, and what was expected and found', () => {
    const records = [{ tags: ['a'] }, { tags: [] }, { tags: [undefined, 7] }];
    const tell = (run: () => unknown): string => {
      try {
        run();
        return '';
      } catch (error) {
        return error instanceof ContractViolation ? error.message : String(error);
      }
    };
    const expected =
      "Property 'records[2].tags[0]' expected string, got undefined; Property 'records[2].tags[1]' expected string, got number";
    const contract: Contract = {
      ...EMPTY_CONTRACT,
      reads: { records: RECORDS },
      sets: { records: RECORDS },
    };
    // What is left out by JSON is undefined to an operation.
    const given = { records } as unknown as JsonObject;
    expect(tell(() => validateInput(contract.reads, given))).toBe(expected);
    expect(tell(() => validateReads(contract, given))).toBe(expected);
    expect(tell(() => validateSets(contract, given))).toBe(expected);
    expect(tell(() => validateInput({ text: z.string() }, {}))).toBe(
      "Property 'text' expected string, got undefined",
    );
  });
});

describe('a value that a contract makes another one of', () => {
  const refused = (schema: z.ZodType, value: unknown): string | undefined => {
    const { error } = z.object({ x: schema }).safeParse({ x: value });
    return error && violationsOf(error, { x: value })[0]?.message;
  };

  it.each<[string, z.ZodType, unknown, string]>([
    ['a text', z.coerce.number(), 'abc', 'number, got "abc"'],
    ['a text of a whole number', z.coerce.number().int(), '1.5', 'int, got "1.5"'],
    ['a number', z.number().int(), 1.5, 'int, got 1.5'],
    ['a long text', z.coerce.number(), 'x'.repeat(300), 'number, got a text of 300 characters'],
    ['an object', z.coerce.number(), {}, 'number, got object'],
    ['nothing', z.coerce.number(), undefined, 'number, got undefined'],
    ['too much', z.coerce.number(), 'Infinity', 'number, got "Infinity"'],
    ['a text of a time', z.coerce.date(), 'soon', 'date, got "soon"'],
    ['a text of digits', z.coerce.bigint(), '12a', 'bigint, got "12a"'],
    [
      'one of two',
      z.union([z.coerce.number(), z.boolean()]),
      'abc',
      'number or boolean, got "abc"',
    ],
    ['what no contract makes anything of', z.number(), 'abc', 'number, got string'],
  ])('is told as it was given: %s', (_what, schema, value, told) => {
    expect(refused(schema, value)).toBe(`Property 'x' expected ${told}`);
  });
});

describe.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty'])(
  'a property called %s',
  (name) => {
    it('is missing where nobody has given it', () => {
      const message = `Property '${name}' expected string, got undefined`;
      expect(() => validateInput({ [name]: z.string() }, {})).toThrow(message);
      expect(validateInput({ [name]: z.string().optional() }, {})).toEqual({});
      expect(validateInput({ [name]: z.string().default('x') }, {})).toEqual({ [name]: 'x' });
      const contract = { ...EMPTY_CONTRACT, sets: { [name]: z.string() } };
      expect(() => validateSets(contract, {})).toThrow(message);
      expect(() => validateSets(EMPTY_CONTRACT, { [name]: 1 })).toThrow('declared sets');
    });

    it('is there where somebody has', () => {
      const types = { [name]: z.string() };
      expect(validateInput(types, { [name]: 'x', other: 1 })).toEqual({ [name]: 'x', other: 1 });
      expect(validateSets({ ...EMPTY_CONTRACT, sets: types }, { [name]: 'x' })).toEqual({
        [name]: 'x',
      });
    });
  },
);

describe('a property called __proto__', () => {
  const given = JSON.parse('{ "a": [{ "__proto__": { "b": 1 } }], "__proto__": 7 }') as JsonObject;

  it('is refused in an input, at any depth', () => {
    expect(() => validateInput({}, given)).toThrow(
      "Property '__proto__' is not allowed: no property can be called __proto__; " +
        "Property 'a[0].__proto__' is not allowed: no property can be called __proto__",
    );
  });

  it('is refused in what an operation sets, at any depth', () => {
    const contract = { ...EMPTY_CONTRACT, sets: { a: z.unknown() } };
    expect(() => validateSets(contract, given)).toThrow("Property '__proto__' was set, but");
    expect(() => validateSets(contract, { a: given['a'] })).toThrow(
      "Property 'a[0].__proto__' is not allowed",
    );
  });
});
