import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { unfitTypes } from '../../../src/contract/json-fitness.js';

const found = (types: Record<string, z.ZodType>, side: 'input' | 'output'): readonly string[] =>
  unfitTypes(types, side).map(({ path, type }) => `${path}: ${type}`);

describe('a type that JSON cannot carry', () => {
  it.each<[string, z.ZodType]>([
    ['z.date()', z.date()],
    ['z.bigint()', z.bigint()],
    ['z.map()', z.map(z.string(), z.number())],
    ['z.set()', z.set(z.string())],
    ['z.symbol()', z.symbol()],
    ['z.function()', z.function()],
    ['z.nan()', z.nan()],
    ['z.file()', z.file()],
    ['z.promise()', z.promise(z.string())],
    ['z.literal() of a bigint', z.literal(1n)],
  ])('%s is found on both sides', (name, type) => {
    expect(found({ it: type }, 'input')).toEqual([`it: ${name}`]);
    expect(found({ it: type }, 'output')).toEqual([`it: ${name}`]);
  });

  it('is found at any depth, with its path', () => {
    const types = {
      list: z.array(z.object({ when: z.date().optional() })),
      table: z.record(z.string(), z.bigint().nullable()),
      pair: z.tuple([z.string(), z.set(z.number())]),
      both: z.intersection(z.object({ at: z.date() }), z.object({ n: z.number() })),
    };
    const paths = ['both.at: z.date()', 'list[].when: z.date()', 'pair[1]: z.set()'];
    expect([...found(types, 'output')].sort()).toEqual([...paths, 'table[]: z.bigint()']);
  });

  it('may be made of JSON by what is given, but cannot be kept', () => {
    const types = {
      coerced: z.coerce.date(),
      made: z.preprocess((value) => new Date(String(value)), z.object({ at: z.date() })),
      decoded: z.codec(z.iso.datetime(), z.date(), {
        decode: (text) => new Date(text),
        encode: (date) => date.toISOString(),
      }),
      either: z.union([z.string(), z.date()]),
    };
    expect(found(types, 'input')).toEqual([]);
    expect([...found(types, 'output')].sort()).toEqual([
      'coerced: z.date()',
      'decoded: z.date()',
      'either: z.date()',
      'made.at: z.date()',
    ]);
  });

  it('may be what is made JSON of before it is kept', () => {
    const types = { at: z.date().transform((date) => date.toISOString()) };
    expect(found(types, 'output')).toEqual([]);
    expect(found(types, 'input')).toEqual(['at: z.date()']);
  });

  it('says what to write instead', () => {
    const fix = (side: 'input' | 'output'): string | undefined =>
      unfitTypes({ at: z.date() }, side)[0]?.fix;
    expect(fix('input')).toContain('z.coerce.date()');
    expect(fix('output')).toContain('z.iso.datetime()');
  });

  it('is not what JSON has, however it is written', () => {
    const types = {
      text: z.string().min(1),
      at: z.iso.datetime().default('2026-01-31T12:00:00Z'),
      any: z.unknown(),
      own: z.custom<string>((value) => typeof value === 'string'),
      flag: z.stringbool(),
      deep: z.lazy(() => z.array(z.json())),
    };
    expect([...found(types, 'input'), ...found(types, 'output')]).toEqual([]);
  });
});
