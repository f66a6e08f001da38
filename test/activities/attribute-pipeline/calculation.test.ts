import { afterAll, describe, expect, it } from '@jest/globals';
import {
  batchEntity,
  computeValues,
  type BatchSurroundings,
} from '../../../activities/attribute-pipeline/module-batch.js';
import { quickjsSandbox } from '../../../adapters/sandbox/quickjs-sandbox.js';
import { calculation } from '../../../src/attribute-pipeline/modules/calculation.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';

describe('the module calculation', () => {
  const sandbox = quickjsSandbox({ timeoutMs: 200 });
  afterAll(() => sandbox.close());
  const written: unknown[] = [];
  const nothing = (): void => undefined;
  const surroundings = (signal = new AbortController().signal): BatchSurroundings => ({
    attribute: { id: 'a1', name: 'area', label: null, dataType: 'number', allowedValues: null },
    pipelineVersion: 1,
    signal,
    log: { debug: (...line) => written.push(line), info: nothing, warn: nothing, error: nothing },
    run: {
      id: 'attribute_pipeline/product.area/1',
      name: 'product.area',
      kind: 'attribute_pipeline',
    },
    limit: () => (work) => work(),
    sleep: () => Promise.resolve(),
    services: NO_SERVICES,
    model: () => {
      throw new Error('a calculation asks no model');
    },
    sandbox,
    labelOf: (name) => name,
  });
  const entities = [1, 2, 3].map((n) => ({
    ...batchEntity(`e${String(n)}`, n * 100),
    inputs: { width: n, height: 2 },
  }));
  const compute = (code: string, signal?: AbortSignal) =>
    computeValues(
      [{ definition: calculation.definition, settings: { code } }],
      entities,
      surroundings(signal),
    );

  it('computes a value of the inputs and of the value that there is', async () => {
    const code = `console.log($json.width);
return { value: $json.width * $json.height + $value, justification: 'wide', meta: { unit: 'm' } };`;
    expect(await compute(code)).toMatchObject([
      { value: 102, confidence: 1, justification: 'wide', meta: { unit: 'm', logs: ['1'] } },
      { value: 204 },
      { value: 306 },
    ]);
    expect(written).toHaveLength(3);
    expect(written[0]).toEqual([{ entity: 'e1', lines: ['1'] }, 'a calculation has written']);
  });

  it('fails the entities that it throws for, with the line, and no others', async () => {
    const computed = await compute('if ($json.width === 2)\n  throw new Error("two");\nreturn 1;');
    expect(computed).toMatchObject([
      { value: 1 },
      { end: { kind: 'failed', module: 'calculation', message: 'Error: two (line 2)' } },
      { value: 1 },
    ]);
  });

  it('fails all entities of a batch that takes too long, once', async () => {
    const ends = (await compute('while ($json.width === 2) {} return 1;')).map(({ end }) => end);
    expect(ends).toEqual(
      Array<unknown>(3).fill({
        kind: 'failed',
        module: 'calculation',
        message: expect.stringMatching(/longer than 200 ms \(timeoutMs\), at item 1/),
      }),
    );
  });

  it('fails nobody when its run is cancelled', async () => {
    await expect(compute('for (;;) {}', AbortSignal.timeout(30))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  it('says what is wrong with its code before it is saved', async () => {
    const { settings, validateSettings } = calculation.definition;
    expect(settings.safeParse({}).success).toBe(false);
    expect(settings.safeParse({ code: 'return 1', more: 1 }).success).toBe(false);
    expect(await validateSettings?.({ code: 'return 1' }, { sandbox, models: [] })).toEqual([]);
    expect(await validateSettings?.({ code: 'return (' }, { sandbox, models: [] })).toEqual([
      { path: 'code', message: 'Unexpected token (line 1, column 9)' },
    ]);
  });
});
