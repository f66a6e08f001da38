import { describe, expect, it } from '@jest/globals';
import { defineOperation, definePipeline, permanent } from 'millrace';
import { runPipeline, stub } from 'millrace/testing';
import { z } from 'zod';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const temporal = useTemporal();
const dir = useTemporaryDirectory();

const shared = (): Record<string, string> => ({ TEMPORAL_ADDRESS: temporal.address });

const lookUp = defineOperation({
  name: 'look-up',
  reads: z.object({ city: z.string() }),
  sets: z.object({ degrees: z.number() }),
  retry: { maximumAttempts: 1 },
  run: () => {
    throw new Error('no service in a test');
  },
});

const describeWeather = defineOperation({
  name: 'describe',
  reads: z.object({ degrees: z.number() }),
  sets: z.object({ words: z.string() }),
  quick: true,
  run: ({ input }) => ({ words: input.degrees > 20 ? 'warm' : 'cold' }),
});

const weather = definePipeline({
  name: 'weather',
  input: z.object({ city: z.string() }),
  output: z.object({ words: z.string() }),
  stages: [
    { name: 'find', operations: [lookUp] },
    { name: 'tell', operations: [describeWeather] },
  ],
});

const split = defineOperation({
  name: 'split',
  reads: z.object({ text: z.string() }),
  sets: z.object({ line: z.string() }),
  changesCount: true,
  runBatch: ({ inputs }) =>
    inputs.flatMap(({ text }, from) => text.split('\n').map((line) => ({ from, set: { line } }))),
});

const size = defineOperation({
  name: 'size',
  reads: z.object({ line: z.string() }),
  sets: z.object({ size: z.number() }),
  runBatch: ({ inputs }) => inputs.map(({ line }) => ({ size: line.length })),
});

const lines = definePipeline({
  name: 'lines',
  result: 'all',
  stages: [
    { name: 'split', operations: [split] },
    { name: 'measure', operations: [size] },
  ],
});

describe('runPipeline', () => {
  it('runs a pipeline whole, with data in the place of an operation', async () => {
    const run = await runPipeline(weather, {
      input: { city: 'Bern' },
      operations: { 'look-up': { degrees: 25 } },
      env: shared(),
    });
    expect(run.status).toBe('completed');
    const words: string = run.result.words;
    expect(words).toBe('warm');
    expect(run.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['pipe_started', 'operation_completed', 'complete']),
    );
    expect(run.operations).toMatchObject([
      { stage: 'find', operation: 'look-up', stubbed: true, got: [{ city: 'Bern' }] },
      { stage: 'tell', stubbed: false, got: [{ degrees: 25 }], set: [{ words: 'warm' }] },
    ]);
    expect(run.operation('tell/describe')).toBe(run.operation('describe'));
    expect(() => run.operation('descrbe')).toThrow('Did you mean "describe"?');
  });

  it('calls a function in the place of an operation, with its types', async () => {
    const { result } = await runPipeline(weather, {
      input: { city: 'Oslo' },
      operations: {
        'look-up': stub(lookUp, ({ input }) => ({ degrees: input.city.length })),
        describe: ({ input, run }) => ({
          words: `${JSON.stringify(input['degrees'])} in ${run.name}`,
        }),
      },
      env: shared(),
    });
    expect(result).toEqual({ words: '4 in weather' });
    // @ts-expect-error -- it sets no such thing
    stub(lookUp, { degrees: 'many' });
  });

  it('tells of a run that fails, with where it did', async () => {
    const run = await runPipeline(weather, {
      input: { city: 'Bern' },
      operations: {
        'look-up': () => {
          throw permanent('no such city', { code: 404 }, 'CityUnknown');
        },
      },
      env: shared(),
    });
    expect(run).toMatchObject({
      status: 'failed',
      failure: { type: 'CityUnknown', stage: 'find', operation: 'look-up' },
    });
    expect(() => run.result).toThrow(
      expect.objectContaining({ name: 'RunFailed', message: 'no such city', runId: run.id }),
    );
    expect(Object.keys(run)).not.toContain('result');
    expect(run.operation('look-up').failure).toMatchObject({ message: 'no such city' });
    expect(run.operation('describe')).toMatchObject({ got: [], set: [] });
  });

  it('refuses a stub that sets what the contract does not allow', async () => {
    const running = runPipeline(weather, {
      input: { city: 'Bern' },
      operations: { 'look-up': { degrees: 'many' } },
      env: shared(),
    });
    await expect(running).rejects.toMatchObject({
      name: 'StubRefused',
      place: 'find/look-up',
      reason: expect.stringContaining("Property 'degrees' expected number"),
    });
  });

  it('does not take a contract that the pipeline itself breaks for a mistake of a stub', async () => {
    const careless = defineOperation({
      name: 'careless',
      sets: z.object({ degrees: z.number() }),
      run: () => ({ degrees: 'many' as unknown as number }),
    });
    const pipeline = definePipeline({
      name: 'careless-weather',
      stages: [
        { name: 'find', operations: [careless] },
        { name: 'tell', operations: [describeWeather] },
      ],
    });
    const run = await runPipeline(pipeline, {
      input: {},
      operations: { describe: { words: 'warm' } },
      env: shared(),
    });
    expect(run.failure).toMatchObject({ type: 'contract_violation', operation: 'careless' });
  });

  it('names stubs for what the pipeline does not have', async () => {
    const running = runPipeline(weather, {
      input: { city: 'Bern' },
      operations: { 'lok-up': { degrees: 1 }, elsewhere: {} },
      env: shared(),
    });
    await expect(running).rejects.toMatchObject({
      name: 'StubUnknown',
      names: ['lok-up', 'elsewhere'],
      message: expect.stringMatching(/Did you mean "look-up"\?[^]*Known: describe, look-up\./),
    });
  });

  it('has a stub for one of two places of the same operation', async () => {
    const pipeline = definePipeline({
      name: 'twice',
      stages: [
        { name: 'first', operations: [describeWeather] },
        { name: 'second', operations: [{ type: describeWeather, name: 'again' }] },
      ],
    });
    const run = await runPipeline(pipeline, {
      input: { degrees: 30 },
      operations: { 'first/describe': { words: 'stubbed' } },
      env: shared(),
    });
    expect(run.operation('describe').set).toEqual([{ words: 'stubbed' }]);
    expect(run.operation('again').set).toEqual([{ words: 'warm' }]);
  });

  it('has stubs for operations that take several namespaces, and those that change their number', async () => {
    const { result } = await runPipeline(lines, {
      input: { text: 'x' },
      operations: {
        split: [
          { from: 0, set: { line: 'a' } },
          { from: 0, set: { line: 'b' } },
        ],
        size: ({ inputs }) => inputs.map((_, at) => ({ size: at })),
      },
      env: shared(),
    });
    expect(result).toEqual([
      { text: 'x', line: 'a', size: 0 },
      { text: 'x', line: 'b', size: 1 },
    ]);
    const same = await runPipeline(lines, {
      input: { text: 'a\nb' },
      operations: { size: { size: 7 } },
      env: shared(),
    });
    expect(same.operation('size').set).toEqual([{ size: 7 }, { size: 7 }]);
    const wrong = runPipeline(lines, {
      input: { text: 'x' },
      operations: { split: { line: 'a' } },
      env: shared(),
    });
    await expect(wrong).rejects.toMatchObject({
      name: 'StubRefused',
      reason: expect.stringContaining('{ from, set }'),
    });
  });

  it('finds a pipeline by its name in a project', async () => {
    await writeProject(dir.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
    });
    const { result } = await runPipeline('word-report', {
      dir: dir.path,
      input: { text: 'one two' },
      operations: { 'count-words': { words: 7 } },
      env: shared(),
    });
    expect(result).toEqual({ text: 'one two', words: 7 });
    const unknown = runPipeline('word-reprot', { dir: dir.path, input: {}, env: shared() });
    await expect(unknown).rejects.toMatchObject({ name: 'DefinitionNotFound' });
  });
});
