import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineOperation } from '../../../src/pipeline/operation.js';
import {
  compile,
  compiled,
  ENVIRONMENT,
  messages,
  note,
  pipeline,
  using,
  type Written,
} from '../../support/compiling.js';

describe('a pipeline', () => {
  it('becomes a plan of plain JSON with everything that decides what a run does', () => {
    const { plan } = compiled({
      timeout: '1m',
      merge: 'first',
      result: 'all',
      stages: [
        {
          name: 'count',
          timeout: 5_000,
          operations: [
            'count-words',
            { type: 'note', name: 'remark', timeout: '3s', ignoreErrors: ['timeout'] },
          ],
        },
        { name: 'split', merge: 'disjoint', parallel: 3, operations: [{ type: 'split' }] },
      ],
    });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(plan).toMatchObject({
      kind: 'pipeline',
      name: 'p',
      timeoutMs: 60_000,
      result: 'all',
      stages: [
        {
          name: 'count',
          timeoutMs: 5_000,
          merge: 'first',
          parallel: 10,
          operations: [
            {
              type: 'count-words',
              name: 'count-words',
              options: { least: 1 },
              timeoutMs: 1_000,
              retry: { maximumAttempts: 5, initialIntervalMs: 2_000, backoffCoefficient: 2 },
              quick: true,
              reads: ['text'],
              sets: ['words'],
              deletes: [],
            },
            {
              type: 'note',
              name: 'remark',
              timeoutMs: 3_000,
              ignoreErrors: ['timeout'],
              retry: { maximumAttempts: 3, initialIntervalMs: 1_000 },
            },
          ],
        },
        {
          name: 'split',
          merge: 'disjoint',
          parallel: 3,
          operations: [{ type: 'split', changesCount: true }],
        },
      ],
    });
  });

  it('has 15 minutes and one result unless it says otherwise', () => {
    expect(compiled({}).plan).toMatchObject({ timeoutMs: 15 * 60_000, result: 'one' });
  });

  it('gives the same hash for the same plan and another one for another', () => {
    expect(compiled({}).planHash).toBe(compiled({}).planHash);
    expect(compiled({}).planHash).not.toBe(compiled({ timeout: '1m' }).planHash);
  });

  it('describes what it takes and leaves', () => {
    const { inputSchema, outputSchema } = compiled(using('count-words'));
    expect(inputSchema).toMatchObject({
      type: 'object',
      properties: { text: { type: 'string' } },
      required: ['text'],
    });
    expect(outputSchema).toMatchObject({
      properties: { text: { type: 'string' }, words: { type: 'integer' } },
      required: ['text', 'words'],
    });
    expect(compiled({ ...using('count-words'), result: 'all' }).outputSchema).toMatchObject({
      type: 'array',
      items: { type: 'object' },
    });
  });

  it('says that a result may hold more only where it declares no output', () => {
    expect(compiled(using('count-words')).outputSchema).not.toHaveProperty('additionalProperties');
    const declared = compiled({ ...using('count-words'), output: z.object({ words: z.int() }) });
    expect(declared.outputSchema).toMatchObject({
      properties: { words: {} },
      additionalProperties: false,
    });
    expect(declared.plan.output).toEqual(['words']);
  });

  it('keeps functions that decide about errors beside the plan', () => {
    const decide = (): boolean => true;
    const { plan, predicates } = compiled(using({ type: note, ignoreErrors: decide }));
    expect(plan.stages[0]?.operations[0]?.ignoreErrors).toBe('predicate');
    expect(predicates.get(JSON.stringify(['one', 'note']))).toBe(decide);
  });

  it('tells two uses of one operation in a stage apart', () => {
    expect(
      compiled(using('note', 'note')).plan.stages[0]?.operations.map(({ name }) => name),
    ).toEqual(['note', 'note#2']);
  });
});

describe('an option that names a file', () => {
  it('becomes the text of the file, so that the plan pins it', () => {
    const { plan } = compiled(
      using({ type: 'prompted', options: { prompt_file: 'prompts/ask.txt' } }),
    );
    expect(plan.stages[0]?.operations[0]?.options).toEqual({ prompt: 'Who are you?' });
  });

  it('is refused where the file is missing, or the text is given too', () => {
    expect(
      messages(using({ type: 'prompted', options: { prompt_file: 'prompts/aks.txt' } })),
    ).toEqual([
      'stages.0.operations.0.options.prompt_file:1  stage "one": "prompted": prompt_file: there is no file "prompts/aks.txt" in the project.',
    ]);
    expect(
      messages(
        using({ type: 'prompted', options: { prompt_file: 'prompts/ask.txt', prompt: 'x' } }),
      ),
    ).toContain(
      'stages.0.operations.0.options.prompt_file:1  stage "one": "prompted": prompt_file and prompt are both given. Keep one of them.',
    );
  });
});

describe('a declared output', () => {
  it('must be left by the stages', () => {
    expect(messages({ ...using('count-words'), output: z.object({ letters: z.int() }) })).toEqual([
      'output.letters:1  output declares "letters", which no stage leaves. What is left: text, words.',
    ]);
  });

  it('must be of the type that is left', () => {
    expect(messages({ ...using('count-words'), output: z.object({ words: z.string() }) })).toEqual([
      'output.words:1  output declares "words" as string, but what is left is integer.',
    ]);
  });

  it('is not looked at in runs where it follows from the contracts', () => {
    const output = z.object({ words: z.number(), text: z.string() });
    expect(compiled({ ...using('count-words'), output }).plan.resultSchema).toBeUndefined();
  });

  it.each<[string, Written, object]>([
    [
      'is narrower than what is left',
      { ...using('count-words'), output: z.object({ words: z.int().max(9), text: z.string() }) },
      {
        type: 'object',
        properties: { words: expect.objectContaining({ type: 'integer', maximum: 9 }) },
        required: ['words'],
      },
    ],
    [
      'may be missing, since errors are ignored',
      {
        ...using({ type: 'count-words', ignoreErrors: true }),
        output: z.object({ words: z.number() }),
      },
      { type: 'object', properties: { words: { type: 'number' } }, required: ['words'] },
    ],
    [
      'may come with the input, which says nothing of it',
      { ...using('note'), output: z.object({ remark: z.string().optional() }) },
      { type: 'object', properties: { remark: { type: 'string' } } },
    ],
  ])('is looked at in runs where it %s', (_what, written, schema) => {
    expect(compiled(written).plan.resultSchema).toEqual(schema);
  });

  it('may not need what may be absent in the end', () => {
    const maybe = defineOperation({
      name: 'maybe',
      sets: z.object({ x: z.string().optional() }),
      run: () => ({}),
    });
    const environment = { ...ENVIRONMENT, operations: new Map([['maybe', maybe]]) };
    const output = z.object({ x: z.string() });
    const { problems } = compile(pipeline({ ...using('maybe'), output }), environment);
    expect(problems.map(({ message }) => message)).toEqual([
      'output declares "x", which may be absent in the end. Make it optional there, or required where it comes from.',
    ]);
  });

  it('warns of rules that results are not put through', () => {
    const odd = z.int().refine((words) => words % 2 === 1);
    expect(messages({ ...using('count-words'), output: z.object({ words: odd }) })).toEqual([
      'output.words:1  warning:  output declares "words" with a transform or a check of its own, which results are not put through. Put it into what an operation sets.',
    ]);
  });

  it('may name an optional property that nothing sets', () => {
    expect(
      messages({
        ...using('count-words'),
        output: z.object({ words: z.int(), remark: z.string().optional() }),
      }),
    ).toEqual([]);
  });
});

describe('an operation', () => {
  it.each<[object, string]>([
    [{ run: undefined }, 'operation "o": give it either run or runBatch, a function.'],
    [
      { run: () => ({}), runBatch: () => [] },
      'operation "o": give it either run or runBatch, a function.',
    ],
    [
      { run: () => ({}), changesCount: true },
      'operation "o": changesCount needs runBatch, which gets all namespaces at once.',
    ],
    [
      { run: () => ({}), reads: { text: 'string' } },
      'operation "o": reads must be a z.object({ … }) of zod 4.',
    ],
  ])('written without types is checked where it is defined: %o', (part, message) => {
    expect(() => defineOperation({ name: 'o', ...part } as never)).toThrow(new TypeError(message));
  });
});
