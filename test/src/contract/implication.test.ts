import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { hasOwnRules, implies } from '../../../src/contract/implication.js';

const text = z.string();
const number = z.number();

describe('a type', () => {
  it.each<[string, z.ZodType, z.ZodType]>([
    ['the same', text, z.string()],
    ['anything', text, z.unknown()],
    ['an integer as a number', z.int(), number],
    ['one with a limit as one without', text.min(3), text],
    ['a narrower range', number.min(5).max(6), number.min(4).max(7)],
    ['a described one', text.describe('a'), text.describe('b')],
    ['a list of such', z.array(z.int()), z.array(number)],
    [
      'an object with more members',
      z.looseObject({ a: text, b: text }),
      z.looseObject({ a: text }),
    ],
    [
      'a required member for an optional one',
      z.object({ a: text }),
      z.object({ a: text.optional() }),
    ],
    ['both of two types as one of them', z.intersection(text, text.min(2)), text.min(2)],
    ['the same alternatives', z.union([text, number]), z.union([z.string(), z.number()])],
  ])('certainly is another one: %s', (_what, from, to) => {
    expect(implies(from, to)).toBe(true);
  });

  it.each<[string, z.ZodType, z.ZodType]>([
    ['anything as something', z.unknown(), text],
    ['a number as an integer', number, z.int()],
    ['one without a limit as one with', text, text.min(3)],
    ['a wider range', number.min(3), number.min(4)],
    ['one of two types as one of them', z.union([text, number]), text],
    ['a nullable one', text.nullable(), text],
    ['a list of others', z.array(number), z.array(z.int())],
    [
      'an optional member for a required one',
      z.object({ a: text.optional() }),
      z.object({ a: text }),
    ],
    ['an object without the member', z.object({ b: text }), z.object({ a: text.optional() })],
    ['an open object as a closed one', z.looseObject({ a: text }), z.object({ a: text })],
    ['an enumeration as a smaller one', z.enum(['a', 'b']), z.enum(['a'])],
  ])('need not be another one: %s', (_what, from, to) => {
    expect(implies(from, to)).toBe(false);
  });
});

describe('rules that JSON Schema cannot say', () => {
  it('are found in a type, at any depth', () => {
    expect(hasOwnRules(z.object({ a: z.array(text.refine((value) => value !== '')) }))).toBe(true);
    expect(hasOwnRules(z.array(text.transform(Number)))).toBe(true);
    expect(hasOwnRules(z.custom<string>())).toBe(true);
    expect(hasOwnRules(z.object({ a: z.array(z.email().min(3)), b: z.int().max(4) }))).toBe(false);
  });
});
