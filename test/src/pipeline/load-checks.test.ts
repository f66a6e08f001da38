import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { formatProblem } from '../../../src/definition/problem.js';
import { operationProblems } from '../../../src/pipeline/operation-check.js';
import {
  defineGenericOperation,
  defineOperation,
  type Operation,
} from '../../../src/pipeline/operation.js';
import { BUILT_IN_OPERATIONS } from '../../../src/pipeline/built-in/catalog.js';
import type { Stage } from '../../../src/pipeline/pipeline.js';
import { compile, ENVIRONMENT, messages, pipeline, using } from '../../support/compiling.js';

/** What is wrong with an operation by itself, given what may not be as its types say. */
function wrongWith(written: object): readonly string[] {
  const complete = { name: 'op', run: () => ({}), ...written };
  const operation = defineOperation(complete as Parameters<typeof defineOperation>[0]);
  return operationProblems(operation, (path) => ({
    file: path.join('.'),
    line: 1,
  })).map(formatProblem);
}

function messagesWith(
  stages: readonly Stage[],
  operations: readonly unknown[] = [],
): readonly string[] {
  const all = [...ENVIRONMENT.operations.values(), ...BUILT_IN_OPERATIONS, ...operations];
  const environment = {
    ...ENVIRONMENT,
    // Each is an operation, whatever it reads and sets.
    operations: new Map((all as readonly Operation[]).map((each) => [each.name, each])),
  };
  return compile(pipeline({ stages }), environment).problems.map(({ severity, message }) =>
    severity === 'warning' ? `warning: ${message}` : message,
  );
}

describe('a key that does not exist', () => {
  it.each<[object, string]>([
    [{ retries: 2 }, 'retries:1  operation "op": unknown key "retries". Did you mean "retry"?'],
    [
      { timeouts: '1s' },
      'timeouts:1  operation "op": unknown key "timeouts". Did you mean "timeout"?',
    ],
    [
      { ignoreError: true },
      'ignoreError:1  operation "op": unknown key "ignoreError". Did you mean "ignoreErrors"?',
    ],
    [
      { retry: { maximumAttempt: 2 } },
      'retry.maximumAttempt:1  operation "op": retry: unknown key "maximumAttempt". Did you mean "maximumAttempts"?',
    ],
  ])('in an operation is refused: %j', (written, message) => {
    expect(wrongWith(written)).toEqual([message]);
  });

  it.each<[object, string]>([
    [{ timeouts: 1_000 }, 'timeouts:1  unknown key "timeouts". Did you mean "timeout"?'],
    [
      { stages: [{ name: 'one', operations: ['note'], paralel: 2 }] },
      'stages.0.paralel:1  stage "one": unknown key "paralel". Did you mean "parallel"?',
    ],
    [
      using({ type: 'note', ignoreError: true } as never),
      'stages.0.operations.0.ignoreError:1  stage "one": "note": unknown key "ignoreError". Did you mean "ignoreErrors"?',
    ],
    [
      using({ type: 'note', retry: { attempts: 2 } } as never),
      'stages.0.operations.0.retry.attempts:1  stage "one": "note": retry: unknown key "attempts". Known: backoffCoefficient, initialInterval, maximumAttempts, maximumInterval.',
    ],
  ])('in a pipeline is refused: %j', (written, message) => {
    expect(messages(written)).toEqual([message]);
  });

  it('is told together with what it was to be', () => {
    expect(messages({ stages: [{ name: 'one', operatons: ['note'] }] })).toEqual([
      'stages.0.operatons:1  stage "one": unknown key "operatons". Did you mean "operations"?',
      'stages.0.operations:1  stage "one": has no operations. Add them: operations: [{ type: … }].',
    ]);
  });

  it('may be there without a value', () => {
    expect(wrongWith({ retries: undefined })).toEqual([]);
  });
});

describe('an operation that no pipeline uses', () => {
  it.each<[object, string]>([
    [{ timeout: 'soon' }, 'timeout:1  operation "op": timeout: "soon" is not a duration.'],
    [
      { retry: { maximumAttempts: 0 } },
      'retry.maximumAttempts:1  operation "op": retry.maximumAttempts must be a whole number from 1 to 100.',
    ],
    [{ retry: 3 }, 'retry:1  operation "op": retry is 3. Write retry: { maximumAttempts: 5 }.'],
    [
      { sets: z.object({ days: z.array(z.date()) }) },
      `sets.days:1  operation "op": sets: 'days[]' is z.date(), which JSON cannot carry. Write z.iso.datetime()`,
    ],
    [
      { options: z.object({ since: z.coerce.date() }) },
      `options.since:1  operation "op": options: 'since' is z.date(), which JSON cannot carry.`,
    ],
  ])('is checked all the same: %j', (written, message) => {
    const found = wrongWith(written);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it('may not have two types of one id', () => {
    const [a, b] = [z.string().meta({ id: 'same' }), z.number().meta({ id: 'same' })];
    expect(wrongWith({ reads: z.object({ a, b }) })).toEqual([
      expect.stringMatching(
        /^reads:1 {2}operation "op": reads cannot be described as JSON Schema: .*same/s,
      ),
    ]);
  });

  it('has all of its mistakes told at once', () => {
    const retry = { maximumAttempts: 0, backoffCoefficient: 0, initialInterval: 'x' };
    expect(wrongWith({ timeout: 'soon', retry })).toHaveLength(4);
  });

  it('may read dates that are made of texts', () => {
    expect(wrongWith({ reads: z.object({ at: z.coerce.date() }) })).toEqual([]);
  });
});

describe('a contract of which JSON cannot carry a part', () => {
  it('is refused where a pipeline declares it', () => {
    expect(messages({ input: z.object({ at: z.date() }) })).toEqual([
      "input.at:1  input: 'at' is z.date(), which JSON cannot carry. Write z.iso.datetime() for a text, or z.coerce.date() for a Date made of it.",
    ]);
  });

  it('is refused where options make it so', () => {
    const dated = defineGenericOperation({
      name: 'dated',
      options: z.object({ at: z.string() }),
      contract: ({ options }) => ({ sets: { [options.at]: z.date() } }),
      run: () => ({}),
    });
    const use = { type: 'dated', options: { at: 'day' } };
    expect(messagesWith([{ name: 'one', operations: [use] }], [dated])).toEqual([
      `stage "one": "dated": sets: 'day' is z.date(), which JSON cannot carry. Write z.iso.datetime() and return date.toISOString().`,
    ]);
  });
});

describe('a time limit without a unit', () => {
  it('below a second is told to be milliseconds, and loads', () => {
    const stages = [{ name: 'one', timeout: 20, operations: [{ type: 'note', timeout: 10 }] }];
    const found = messages({ timeout: 30, stages });
    expect(found).toEqual([
      "timeout:1  warning:  timeout: 30 is 30 milliseconds. Did you mean '30s'?",
      `stages.0.timeout:1  warning:  stage "one": timeout: 20 is 20 milliseconds. Did you mean '20s'?`,
      `stages.0.operations.0.timeout:1  warning:  stage "one": "note": timeout: 10 is 10 milliseconds. Did you mean '10s'?`,
    ]);
    expect(compile(pipeline({ timeout: 30, stages })).pipeline?.plan.timeoutMs).toBe(30);
    expect(wrongWith({ timeout: '5' })).toHaveLength(1);
  });

  it('is nothing to ask about from a second on, with a unit, or between attempts', () => {
    expect(messages({ timeout: 1_000 })).toEqual([]);
    expect(messages({ timeout: '30ms' })).toEqual([]);
    expect(messages(using({ type: 'note', retry: { initialInterval: 200 } }))).toEqual([]);
  });
});

describe('a pipeline whose result is one', () => {
  const split = defineOperation({ name: 'cut', changesCount: true, runBatch: () => [] });
  const join = defineOperation({
    name: 'join',
    changesCount: true,
    leaves: 'one',
    runBatch: () => [],
  });
  const explode = { type: 'explode', options: { split: { pages: 'page' } } };
  const collapse = { type: 'collapse', options: { properties: { page: 'collect' } } };
  const filter = { type: 'filter', options: { where: { page: 1 } } };
  const told = (...uses: Stage['operations']): readonly string[] =>
    messagesWith(
      uses.map((use, at) => ({ name: `s${String(at)}`, operations: [use] })),
      [split, join],
    );
  const warning = (stage: string, type: string): string =>
    `warning: stage "${stage}": "${type}" may leave several namespaces, of which no later stage makes one, but the result is one. Add a stage with "collapse", or set result: all.`;

  it('but which is left with several is warned of', () => {
    expect(told(explode)).toEqual([warning('s0', 'explode')]);
    expect(told(explode, 'note')).toEqual([warning('s0', 'explode')]);
    expect(told(split)).toEqual([warning('s0', 'cut')]);
    expect(told(split, join, explode)).toEqual([warning('s2', 'explode')]);
  });

  it('is believed where something may make one of them', () => {
    expect(told(explode, collapse)).toEqual([]);
    expect(told(explode, filter)).toEqual([]);
    expect(told(explode, split)).toEqual([]);
    expect(told(explode, join)).toEqual([]);
    expect(told(join)).toEqual([]);
  });
});

describe('a name in options', () => {
  const customer = defineOperation({
    name: 'customer',
    reads: z.object({ customer: z.string() }),
    run: () => ({}),
  });
  const linked = (copy: Record<string, string>): readonly string[] =>
    messagesWith(
      [
        { name: 'one', operations: [{ type: 'link', options: { copy } }] },
        { name: 'two', operations: ['customer'] },
      ],
      [customer],
    );

  it('that is nearly one of another operation is probably a slip', () => {
    expect(linked({ custmer: 'buyer' })).toEqual([
      'warning: stage "one": "link" reads "custmer", which no earlier stage sets, so it becomes part of the input. Did you mean "customer"?',
    ]);
  });

  it('is none where it is renamed to what it is near to, a plural, a number, or used twice', () => {
    expect(linked({ custmer: 'customer' })).toEqual([]);
    expect(linked({ customers: 'buyers' })).toEqual([]);
    expect(linked({ customer1: 'first' })).toEqual([]);
    expect(linked({ customer: 'buyer' })).toEqual([]);
  });
});
