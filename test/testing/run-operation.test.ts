import { describe, expect, it } from '@jest/globals';
import {
  ContractViolation,
  DefinitionError,
  defineGenericOperation,
  defineOperation,
  permanent,
} from 'millrace';
import { OperationReport, runOperation } from 'millrace/testing';
import { z } from 'zod';

const count = defineOperation({
  name: 'count',
  reads: z.object({ text: z.string(), unit: z.enum(['word', 'letter']).default('word') }),
  sets: z.object({ count: z.number().int() }),
  deletes: ['draft'],
  options: z.object({ least: z.number().default(1) }),
  quick: true,
  run: ({ input, options, log }) => {
    log.info({ unit: input.unit }, 'counting');
    const parts = input.text.split(input.unit === 'word' ? ' ' : '');
    return { count: Math.max(options.least, parts.length) };
  },
});

const rank = defineOperation({
  name: 'rank',
  reads: z.object({ score: z.number() }),
  sets: z.object({ place: z.number().int() }),
  runBatch: ({ inputs }) => {
    const sorted = inputs.map(({ score }) => score).sort((a, b) => b - a);
    return inputs.map(({ score }) => ({ place: sorted.indexOf(score) + 1 }));
  },
});

const split = defineOperation({
  name: 'split',
  reads: z.object({ text: z.string() }),
  sets: z.object({ word: z.string() }),
  changesCount: true,
  runBatch: ({ inputs }) =>
    inputs.flatMap(({ text }, from) => text.split(' ').map((word) => ({ from, set: { word } }))),
});

describe('runOperation', () => {
  it('runs a body on one namespace, with the defaults of its options and of what it reads', async () => {
    const { set, namespace, report } = await runOperation(count, {
      input: { text: 'one two', draft: true, other: 1 },
    });
    const typed: number = set.count;
    expect(typed).toBe(2);
    expect(namespace).toEqual({ text: 'one two', other: 1, count: 2 });
    expect(report.lines).toEqual([
      { level: 'info', fields: { unit: 'word' }, message: 'counting' },
    ]);
  });

  it('takes options as a pipeline would write them', async () => {
    const on = { input: { text: 'a' }, options: { least: 5 } };
    expect((await runOperation(count, on)).set).toEqual({ count: 5 });
    const wrong = runOperation(count, {
      input: { text: 'a' },
      // @ts-expect-error -- the operation's own types say so, too
      options: { least: 'many' },
    });
    await expect(wrong).rejects.toBeInstanceOf(DefinitionError);
    await expect(wrong).rejects.toThrow(/least/);
  });

  it('checks what is read', async () => {
    // @ts-expect-error -- a text is no number
    const running = runOperation(count, { input: { text: 7 } });
    await expect(running).rejects.toBeInstanceOf(ContractViolation);
    await expect(running).rejects.toMatchObject({ violations: [{ path: 'text' }] });
    // @ts-expect-error -- the text is missing
    await expect(runOperation(count, { input: {} })).rejects.toBeInstanceOf(ContractViolation);
  });

  it('checks what is set', async () => {
    const wrong = defineOperation({
      name: 'wrong',
      sets: z.object({ count: z.number() }),
      run: () => JSON.parse('{"count":"two"}') as { count: number },
    });
    await expect(runOperation(wrong, { input: {} })).rejects.toMatchObject({
      violations: [{ path: 'count' }],
    });
  });

  it('lets a body see JSON and what it reads, and nothing else, as in a run', async () => {
    const seen: unknown[] = [];
    const look = defineOperation({
      name: 'look',
      reads: z.object({ at: z.unknown() }),
      run: ({ input }) => {
        seen.push(input);
        return {};
      },
    });
    await runOperation(look, { input: { at: new Date(0), secret: 1 } });
    expect(seen).toEqual([{ at: '1970-01-01T00:00:00.000Z' }]);
  });

  it('runs a batch on all namespaces at once', async () => {
    const { sets, namespaces } = await runOperation(rank, {
      namespaces: [{ score: 1, id: 'a' }, { score: 3 }],
    });
    expect(sets.map(({ place }) => place)).toEqual([2, 1]);
    expect(namespaces).toEqual([
      { score: 1, id: 'a', place: 2 },
      { score: 3, place: 1 },
    ]);
  });

  it('runs an operation that changes the number of namespaces', async () => {
    const { sets, namespaces } = await runOperation(split, { namespaces: [{ text: 'a b', n: 1 }] });
    expect(sets).toEqual([{ word: 'a' }, { word: 'b' }]);
    expect(namespaces).toHaveLength(2);
    await expect(runOperation(split, { input: { text: 'a b' } })).rejects.toThrow('namespaces:');
  });

  it('gives services, a model, a checkpoint, the attempt and a run, and collects heartbeats and usage', async () => {
    const call = defineOperation({
      name: 'call',
      reads: z.object({ text: z.string() }),
      sets: z.object({ answer: z.string() }),
      capabilities: ['text'],
      run: async ({ input, model, services, signal, checkpoint, attempt, run, ...context }) => {
        context.heartbeat({ completed: 1 }, { at: 1 });
        const { output } = (await model?.generate({ prompt: input.text, signal })) ?? {};
        context.recordUsage({ model: model?.name ?? '', inputTokens: 1, outputTokens: 2 });
        return {
          answer: JSON.stringify([output, services, checkpoint, attempt, run.id, run.principal]),
        };
      },
    });
    const { set, report } = await runOperation(call, {
      input: { text: 'hi' },
      model: {
        name: 'fake',
        capabilities: ['text'],
        generate: async ({ prompt }) => ({
          output: `${prompt}!`,
          inputTokens: 0,
          outputTokens: 0,
        }),
      },
      services: { db: 'double' },
      checkpoint: { at: 0 },
      attempt: 2,
      run: { principal: 'ada' },
    });
    expect(JSON.parse(set.answer)).toEqual([
      'hi!',
      { db: 'double' },
      { at: 0 },
      2,
      'pipeline/test/1',
      'ada',
    ]);
    expect(report.heartbeats).toEqual([{ progress: { completed: 1 }, checkpoint: { at: 1 } }]);
    expect(report.usage).toEqual([{ model: 'fake', inputTokens: 1, outputTokens: 2 }]);
  });

  it('throws what the body throws, and reports it as a run would', async () => {
    const refuse = defineOperation({
      name: 'refuse',
      run: ({ log }) => {
        log.warn('no');
        throw permanent('The card was refused', { code: 51 }, 'CardRefused');
      },
    });
    const report = new OperationReport();
    await expect(runOperation(refuse, { input: {}, report })).rejects.toThrow(
      'The card was refused',
    );
    expect(report.failure).toMatchObject({ type: 'CardRefused', retryable: false });
    expect(report.lines).toHaveLength(1);
  });

  it('passes the signal on', async () => {
    const wait = defineOperation({
      name: 'wait',
      run: async ({ signal }) => {
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
        return {};
      },
    });
    const controller = new AbortController();
    const running = runOperation(wait, { input: {}, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });

  it('runs an operation whose contract follows from its options', async () => {
    const copy = defineGenericOperation({
      name: 'copy',
      options: z.object({ from: z.string(), to: z.string() }),
      contract: ({ options }) => ({
        reads: { [options.from]: z.unknown() },
        sets: { [options.to]: z.unknown() },
      }),
      run: ({ input, options }) => ({ [options.to]: input[options.from] }),
    });
    const options = { from: 'a', to: 'b' };
    expect((await runOperation(copy, { input: { a: 1 }, options })).namespace).toEqual({
      a: 1,
      b: 1,
    });
  });
});
