import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { formatProblem } from '../../../src/definition/problem.js';
import {
  defineGenericOperation,
  defineOperation,
  type Operation,
} from '../../../src/pipeline/operation.js';
import type { OperationUse } from '../../../src/pipeline/pipeline.js';
import {
  compile,
  compiled,
  messages,
  ENVIRONMENT,
  pipeline,
  using,
  type Written,
} from '../../support/compiling.js';

describe('what is missing', () => {
  it.each<[object, string]>([
    [{ name: '' }, 'name:1  pipeline has no name. Give it one: name: "word-report".'],
    [{ name: undefined }, 'name:1  pipeline has no name. Give it one: name: "word-report".'],
    [
      { stages: undefined },
      'stages:1  has no stages. Add at least one: stages: [{ name, operations: [...] }].',
    ],
    [
      { stages: [] },
      'stages:1  has no stages. Add at least one: stages: [{ name, operations: [...] }].',
    ],
    [{ stages: [{ operations: ['note'] }] }, 'stages.0.name:1  stage 1 has no name.'],
    [{ stages: [null] }, 'stages.0:1  stage 1 has no name.'],
    [
      { stages: [{ name: 'one' }] },
      'stages.0.operations:1  stage "one": has no operations. Add them: operations: [{ type: … }].',
    ],
    [
      using({} as OperationUse),
      'stages.0.operations.0.type:1  stage "one": an operation has no type. Write type: and an operation\'s name.',
    ],
    [
      using(null as never),
      'stages.0.operations.0.type:1  stage "one": an operation has no type. Write type: and an operation\'s name.',
    ],
  ])('%j is refused', (written, message) => {
    expect(messages(written)).toEqual([message]);
  });
});

describe('what is wrong', () => {
  it.each<[object, string]>([
    [{ name: 'a b' }, 'name:1  pipeline is called "a b"; a name starts with a letter'],
    [
      { name: 'valueOf' },
      'name:1  pipeline is called "valueOf", which is reserved. Choose another name.',
    ],
    [
      { name: 'x'.repeat(201) },
      'name:1  pipeline has a name of 201 characters; the longest is 200.',
    ],
    [
      { merge: 'best' },
      'merge:1  merge is "best"; it must be one of last, first, collate, disjoint.',
    ],
    [{ result: 'some' }, 'result:1  result is "some"; it must be "one" or "all".'],
    [{ timeout: 'soon' }, 'timeout:1  timeout: "soon" is not a duration.'],
    [{ timeout: -1 }, 'timeout:1  timeout: -1 is not a duration.'],
    [{ input: { text: 'string' } }, 'input:1  input must be a z.object({ … }) of zod 4.'],
    [
      { stages: [{ name: 'one', merge: 'x', operations: ['note'] }] },
      'stages.0.merge:1  merge is "x"; it must be one of',
    ],
    [
      { stages: [{ name: 'one', parallel: 0, operations: ['note'] }] },
      'stages.0.parallel:1  stage "one": parallel must be a whole number from 1.',
    ],
    [
      { stages: [{ name: 'one', timeout: '', operations: ['note'] }] },
      'stages.0.timeout:1  stage "one": timeout: "" is not a duration.',
    ],
    [
      using('nto'),
      'stages.0.operations.0.type:1  stage "one": unknown operation type "nto". Known: ',
    ],
    [
      using('ntoe'),
      'stages.0.operations.0.type:1  stage "one": unknown operation type "ntoe". Did you mean "note"?',
    ],
    [
      using({ type: 'note', timeout: 'x' as never }),
      'stages.0.operations.0.timeout:1  stage "one": "note": timeout: "x" is not a duration.',
    ],
    [
      using({ type: 'note', options: { a: 1 } }),
      'stages.0.operations.0.options.a:1  stage "one": "note": unknown option "a". It takes no options.',
    ],
    [
      using({ type: 'count-words', options: { laest: 2 } }),
      'stages.0.operations.0.options.laest:1  stage "one": "count-words": unknown option "laest". Did you mean "least"?',
    ],
    [
      using({ type: 'prompted', options: { prompt_fil: 'prompts/ask.txt' } }),
      'stages.0.operations.0.options.prompt_fil:1  stage "one": "prompted": unknown option "prompt_fil". Did you mean "prompt_file"?',
    ],
    [
      using({ type: 'prompted', options: { prompt_file: 7 } }),
      'stages.0.operations.0.options.prompt_file:1  stage "one": "prompted": prompt_file must be the path of a file of the project.',
    ],
    [
      using({ type: 'labelled', options: { labels: { 'odd "name".x[1]': 7 } } }),
      'stages.0.operations.0.options.labels.odd "name".x[1]:1  stage "one": "labelled": option \'labels["odd \\"name\\".x[1]"]\' expected string, got number',
    ],
    [
      using({ type: 'count-words', options: { least: 'x' } }),
      'stages.0.operations.0.options.least:1  stage "one": "count-words": option \'least\' expected number, got string',
    ],
    [
      using({ type: 'count-words', options: { language: 'fr' } }),
      'stages.0.operations.0.options.language:1  stage "one": "count-words": option \'language\' expected one of "en", "de", got "fr"',
    ],
    [
      using({ type: 'note', retry: { maximumAttempts: 0 } }),
      'stages.0.operations.0.retry.maximumAttempts:1  stage "one": "note": retry.maximumAttempts must be a whole number from 1 to 100.',
    ],
    [
      using({ type: 'note', retry: { backoffCoefficient: 0.5 } }),
      'stages.0.operations.0.retry.backoffCoefficient:1  stage "one": "note": retry.backoffCoefficient must be at least 1.',
    ],
    [
      using({ type: 'note', retry: { initialInterval: 'x' as never } }),
      'stages.0.operations.0.retry.initialInterval:1  stage "one": "note": retry.initialInterval: "x" is not a duration.',
    ],
    [
      using({ type: 'look', model: 'eys' }),
      'stages.0.operations.0.model:1  stage "one": "look": unknown model "eys". Did you mean "eyes"?',
    ],
    [
      using({ type: 'look', model: 'blind' }),
      'stages.0.operations.0.model:1  stage "one": "look": model "blind" lacks the capability "vision". It has: text.',
    ],
    [
      using('look'),
      'stages.0.operations.0:1  stage "one": "look": needs a model that can vision, text. Name one: model: …',
    ],
    [
      using('note', 'split'),
      'stages.0.operations.1:1  stage "one": "split" changes the number of namespaces, so it must be alone in its stage. Give it a stage of its own.',
    ],
  ])('%j is refused', (written, message) => {
    const found = messages(written);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it('is told all at once, each at its own place', () => {
    expect(
      messages({
        timeout: 'soon',
        stages: [
          { operations: ['note'] },
          {
            name: 'two',
            timeout: 'x',
            operations: [
              'nope',
              { type: 'look', model: 'nobody', timeout: 'y', options: { z: 1 } },
            ],
          },
          { name: 'two', operations: [] },
        ],
      }).map((message) => message.split('  ')[0]),
    ).toEqual([
      'timeout:1',
      'stages.0.name:1',
      'stages.1.timeout:1',
      'stages.2.name:1',
      'stages.1.operations.0.type:1',
      'stages.1.operations.1.options.z:1',
      'stages.1.operations.1.timeout:1',
      'stages.1.operations.1.model:1',
    ]);
  });

  it('in the code of an operation is told where the operation is used', () => {
    const broken = defineGenericOperation({
      name: 'broken',
      contract: () => {
        throw new Error('no contract today');
      },
      run: () => ({}),
    });
    const checked = defineOperation({
      name: 'checked',
      options: z.object({ a: z.string().optional() }).refine(() => {
        throw new Error('no check today');
      }),
      capabilities: () => {
        throw new Error('never asked');
      },
      run: () => ({}),
    });
    const operations = new Map(
      [broken, checked].map((operation) => [operation.name, operation as Operation]),
    );
    const found = (use: string): readonly string[] =>
      compile(pipeline(using(use)), { ...ENVIRONMENT, operations }).problems.map(formatProblem);
    expect(found('broken')).toEqual([
      'stages.0.operations.0:1  stage "one": "broken": its contract could not be found out: no contract today',
    ]);
    expect(found('checked')).toEqual([
      'stages.0.operations.0.options:1  stage "one": "checked": its options could not be checked: no check today',
    ]);
  });
});

describe('limits', () => {
  it('refuse too many stages and operations by name', () => {
    const stages = Array.from({ length: 201 }, (_, index) => ({
      name: `s${String(index)}`,
      operations: [],
    }));
    expect(messages({ stages })).toEqual([
      'stages:1  has 201 stages; the most is 200 (maxStages).',
    ]);
    expect(messages(using(...Array.from({ length: 101 }, () => 'note')))).toEqual([
      'stages.0.operations:1  stage "one": has 101 operations; the most is 100 (maxOperationsPerStage).',
    ]);
  });

  it('warn of a plan that makes runs slower, and refuse one that is too large', () => {
    const ask = (characters: number): Written =>
      using({ type: 'prompted', options: { prompt: 'x'.repeat(characters) } });
    expect(compiled(ask(20_000)).name).toBe('p');
    expect(messages(ask(20_000))[0]).toMatch(
      /^:1 {2}warning: {2}its plan has 20\d+ bytes, and every run stores it; above 16384 runs become slower\./,
    );
    expect(messages(ask(300_000))[0]).toMatch(
      /^:1 {2}its plan has 300\d+ bytes; the most is 262144 \(maxPlanBytes\)\./,
    );
  });
});
