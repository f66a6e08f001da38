import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { Contract, PropertyTypes } from '../../../src/contract/contract.js';
import { objectSchema } from '../../../src/contract/json-schema.js';
import type { MergeStrategy } from '../../../src/pipeline/merge.js';
import { flowTypes, type TypeFlow } from '../../../src/pipeline/type-flow.js';
import { messages, stage } from '../../support/flow-stages.js';

function input(flow: TypeFlow): unknown {
  const { properties, required = [] } = objectSchema(flow.input, 'input');
  return { properties, required };
}

const text = z.string();
const number = z.number();

describe('the input of a pipeline', () => {
  it('is every property that some stage reads before an earlier one sets it', () => {
    const flow = flowTypes(
      [
        stage('one', [{ reads: { text }, sets: { words: number } }]),
        stage('two', [{ reads: { words: number, language: text }, sets: { language: text } }]),
        stage('three', [{ reads: { language: text, title: text.optional() } }]),
      ],
      undefined,
    );
    expect(flow.problems).toEqual([]);
    expect(Object.keys(flow.input)).toEqual(['text', 'language', 'title']);
    expect(input(flow)).toMatchObject({ required: ['text', 'language'] });
  });

  it('is read by operations of the same stage before any of them sets it', () => {
    const flow = flowTypes(
      [stage('one', [{ sets: { words: number } }, { reads: { words: number } }])],
      undefined,
    );
    expect(Object.keys(flow.input)).toEqual(['words']);
  });

  it('has to satisfy every stage that reads it, also where only a limit differs', () => {
    const flow = flowTypes(
      [
        stage('one', [{ reads: { count: number } }]),
        stage('two', [{ reads: { count: number.min(3) } }]),
      ],
      undefined,
    );
    expect(z.object(flow.input).safeParse({ count: 2 }).success).toBe(false);
  });

  it('may be read with different defaults', () => {
    const flow = flowTypes(
      [
        stage('one', [{ reads: { count: number.default(1) } }]),
        stage('two', [{ reads: { count: number.min(0).default(2) } }]),
      ],
      undefined,
    );
    expect(z.object(flow.input).safeParse({}).success).toBe(true);
    expect(z.object(flow.input).safeParse({ count: -1 }).success).toBe(false);
  });

  it('has to satisfy every stage that reads it', () => {
    const flow = flowTypes(
      [
        stage('one', [{ reads: { count: z.number().optional() } }]),
        stage('two', [{ reads: { count: z.number().min(3) } }]),
      ],
      undefined,
    );
    const accepts = (value: object): boolean => z.object(flow.input).safeParse(value).success;
    expect([accepts({ count: 3 }), accepts({ count: 2 }), accepts({})]).toEqual([
      true,
      false,
      false,
    ]);
    expect(input(flow)).toMatchObject({ required: ['count'] });
  });

  it('cannot be read as two types that no value has', () => {
    expect(
      messages([
        stage('one', [{ reads: { count: text } }]),
        stage('two', [{ reads: { count: number } }]),
      ]),
    ).toEqual(['stage "two": "op0" reads "count" as number, but the input has it as string.']);
  });

  it('that is declared must hold what no stage sets', () => {
    const stages = [
      stage('one', [{ sets: { words: number } }]),
      stage('two', [{ reads: { text, word: number, remark: text.optional() } }]),
    ];
    expect(messages(stages, { text })).toEqual([
      'stage "two": "op0" reads "word", which nothing sets and the declared input lacks. "one" sets: words.',
    ]);
    expect(messages(stages, { text, word: text })).toEqual([
      'stage "two": "op0" reads "word" as number, but the input has it as string.',
    ]);
    expect(messages(stages, { text, word: z.int() })).toEqual([]);
  });

  it('is probably a slip where it is nearly called like something that is set', () => {
    expect(
      messages([
        stage('one', [{ sets: { words: number } }]),
        stage('two', [{ reads: { word: number } }]),
      ]),
    ).toEqual([
      'warning: stage "two": "op0" reads "word", which no earlier stage sets, so it becomes part of the input. Did you mean "words"?',
    ]);
  });
});

describe('what a stage reads', () => {
  it.each<[string, z.ZodType, z.ZodType, boolean]>([
    ['an integer as a number', z.int(), number, true],
    ['a number as an integer, which it may be', number, z.int(), true],
    ['a string as a number', text, number, false],
    ['one of two types', z.union([text, number]), text, true],
    ['two types as a third', z.union([text, number]), z.boolean(), false],
    ['a nullable as its type', text.nullable(), text, true],
    ['anything as something', z.unknown(), text, true],
    ['a list of strings as a list of numbers', z.array(text), z.array(number), false],
    ['a list as a list of anything', z.array(text), z.array(z.unknown()), true],
    ['an object with the member', z.object({ a: text }), z.object({ a: text }), true],
    ['an object without the member', z.object({ b: text }), z.object({ a: text }), false],
    [
      'an object whose member is another type',
      z.object({ a: number }),
      z.object({ a: text }),
      false,
    ],
    ['a literal of the type', z.literal('x'), text, true],
    ['an enum as a number', z.enum(['a', 'b']), number, false],
  ])('may be %s: %#', (_what, from, to, fits) => {
    const found = messages([
      stage('one', [{ sets: { x: from } }]),
      stage('two', [{ reads: { x: to } }]),
    ]);
    expect(found.length === 0).toBe(fits);
  });

  it('names the stage that set it as another type', () => {
    expect(
      messages([
        stage('count', [{ sets: { words: z.array(number) } }]),
        stage('two', [{ name: 'log', reads: { words: text } }]),
      ]),
    ).toEqual([
      'stage "two": "log" reads "words" as string, but stage "count" sets it as array of number.',
    ]);
  });

  it('may have been deleted by an earlier stage only if it is optional', () => {
    const removing = stage('clean', [{ deletes: ['draft'] }]);
    expect(messages([removing, stage('two', [{ reads: { draft: text } }])])).toEqual([
      'stage "two": "op0" reads "draft", which stage "clean" has deleted.',
    ]);
    expect(messages([removing, stage('two', [{ reads: { draft: text.optional() } }])])).toEqual([]);
    expect(
      messages([
        removing,
        stage('set', [{ sets: { draft: text } }]),
        stage('two', [{ reads: { draft: text } }]),
      ]),
    ).toEqual([]);
  });

  it('is the input as it was given, before anybody has transformed it', () => {
    const numeric = z.string().transform(Number);
    expect(
      messages([
        stage('one', [{ reads: { n: numeric } }]),
        stage('two', [{ reads: { n: z.number() } }]),
      ]),
    ).toEqual(['stage "two": "op0" reads "n" as number, but the input has it as string.']);
  });

  it('is known to contracts that depend on it', () => {
    const copy = (incoming: PropertyTypes): Partial<Contract> => ({
      reads: { a: incoming['a'] ?? z.unknown() },
      sets: { b: incoming['a'] ?? z.unknown() },
    });
    expect(
      messages([
        stage('one', [{ sets: { a: number } }]),
        stage('copy', [copy]),
        stage('two', [{ reads: { b: text } }]),
      ]),
    ).toEqual(['stage "two": "op0" reads "b" as string, but stage "copy" sets it as number.']);
  });
});

describe('what is left', () => {
  it('is the input and everything set, without what was deleted', () => {
    const flow = flowTypes(
      [
        stage('one', [{ reads: { text }, sets: { words: number, draft: text } }]),
        stage('two', [{ deletes: ['draft', 'text'] }]),
      ],
      undefined,
    );
    expect(Object.keys(flow.output)).toEqual(['words']);
  });

  it('follows the order of parallel changes as the merge strategy has it', () => {
    const parallel = [{ sets: { x: text } }, { deletes: ['x'] }];
    expect(Object.keys(flowTypes([stage('one', parallel, 'last')], undefined).output)).toEqual([]);
    expect(Object.keys(flowTypes([stage('one', parallel, 'first')], undefined).output)).toEqual([
      'x',
    ]);
  });

  it('is a list of what several set under collate, if any does', () => {
    const both = { sets: { x: text.optional() } };
    const flow = flowTypes([stage('one', [both, both], 'collate')], undefined);
    expect(objectSchema(flow.output, 'output')).toMatchObject({
      properties: { x: { type: 'array', items: { type: 'string' } } },
    });
    expect(objectSchema(flow.output, 'output')['required']).toBeUndefined();
  });

  it('is a list of what several set under collate', () => {
    const flow = flowTypes(
      [stage('one', [{ sets: { x: text } }, { sets: { x: text, y: number } }], 'collate')],
      undefined,
    );
    expect(objectSchema(flow.output, 'output')).toMatchObject({
      properties: { x: { type: 'array', items: { type: 'string' } }, y: { type: 'number' } },
    });
  });
});

describe('parallel operations', () => {
  it.each<MergeStrategy>(['last', 'first', 'collate'])(
    'must set one property to one type, under %s',
    (merge) => {
      expect(
        messages([stage('one', [{ sets: { x: text } }, { sets: { x: number } }], merge)]),
      ).toEqual([
        'stage "one": "op0" and "op1" both set "x", as string and as number. They must agree.',
      ]);
      expect(
        messages([stage('one', [{ sets: { x: text.min(1) } }, { sets: { x: text } }], merge)]),
      ).toEqual([]);
    },
  );

  it('may not change one property together under disjoint, be it by setting or by deleting', () => {
    const forbidden =
      'which merge: disjoint forbids. Rename one of them or choose another merge strategy.';
    expect(
      messages([stage('one', [{ sets: { x: text } }, { sets: { x: text } }], 'disjoint')]),
    ).toEqual([`stage "one": "op0" and "op1" both change "x", ${forbidden}`]);
    expect(
      messages([stage('one', [{ sets: { x: text } }, { deletes: ['x'] }], 'disjoint')]),
    ).toEqual([`stage "one": "op0" and "op1" both change "x", ${forbidden}`]);
    expect(
      messages([
        stage('one', [{ sets: { x: text }, deletes: ['x'] }, { sets: { y: text } }], 'disjoint'),
      ]),
    ).toEqual([]);
  });

  it('are not allowed beside one that changes the number of namespaces', () => {
    expect(messages([stage('one', [{ name: 'explode', changesCount: true }, {}])])).toEqual([
      'stage "one": "explode" changes the number of namespaces, so it must be alone in its stage. Give it a stage of its own.',
    ]);
    expect(messages([stage('one', [{ name: 'explode', changesCount: true }])])).toEqual([]);
  });
});
