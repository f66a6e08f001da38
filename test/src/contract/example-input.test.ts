import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { exampleInput, isCertainExample } from '../../../src/contract/example-input.js';
import { inputContract } from '../../../src/contract/input-contract.js';

describe('an example input', () => {
  it('uses what the types give as examples, defaults and choices', () => {
    const example = exampleInput(
      inputContract({
        text: z.string().meta({ examples: ['The miller sleeps.'] }),
        size: z.enum(['small', 'large']),
        kind: z.literal('note'),
      }),
    );
    expect(example).toEqual({ text: 'The miller sleeps.', size: 'small', kind: 'note' });
  });

  it('satisfies the contract in every part, and leaves out what is optional', () => {
    const types = {
      text: z.string().min(60),
      short: z.string().max(3),
      count: z.number().int().min(5).max(9),
      mail: z.email(),
      flag: z.boolean(),
      tags: z.array(z.object({ name: z.string() })).min(2),
      either: z.union([z.number(), z.string()]),
      nothing: z.null(),
      later: z.string().optional(),
      level: z.number().default(3),
    };
    const example = exampleInput(inputContract(types));
    expect(z.object(types).safeParse(example).success).toBe(true);
    expect(example).not.toHaveProperty('later');
    expect(example).toMatchObject({
      count: 5,
      tags: [{ name: expect.any(String) }, { name: expect.any(String) }],
    });
  });

  it('is undefined where none is found, and empty where nothing is required', () => {
    expect(
      exampleInput(inputContract({ code: z.string().regex(/^[A-Z]{3}-\d+$/) })),
    ).toBeUndefined();
    expect(exampleInput(inputContract({}))).toEqual({});
  });

  it('is certain where the type of every part of it is known', () => {
    const certain = (types: Record<string, z.ZodType>): boolean =>
      isCertainExample(inputContract(types), exampleInput(inputContract(types)) ?? {});
    expect(certain({ text: z.string(), list: z.array(z.object({ n: z.int() })) })).toBe(true);
    expect(certain({ text: z.unknown().meta({ examples: ['x'] }) })).toBe(true);
    expect(certain({ kind: z.literal('a'), both: z.intersection(z.int(), z.int()) })).toBe(true);
    expect(certain({ text: z.string(), later: z.unknown().optional() })).toBe(true);
    expect(certain({ any: z.unknown() })).toBe(false);
    expect(certain({ list: z.array(z.unknown()) })).toBe(false);
    expect(certain({ deep: z.object({ any: z.unknown() }) })).toBe(false);
  });
});
