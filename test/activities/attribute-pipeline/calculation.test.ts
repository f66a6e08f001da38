import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  batchEntity,
  computeValues,
  type BatchSurroundings,
} from '../../../activities/attribute-pipeline/module-batch.js';
import { quickjsSandbox } from '../../../adapters/sandbox/quickjs-sandbox.js';
import { isRetryable } from '../../../src/pipeline/permanent.js';
import { calculation } from '../../../src/attribute-pipeline/modules/calculation.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';

describe('the module calculation', () => {
  const sandbox = quickjsSandbox({ timeoutMs: 200 });
  afterAll(() => sandbox.close());
  const written: unknown[] = [];
  const nothing = (): void => undefined;
  const surroundings = (): BatchSurroundings => ({
    attribute: { id: 'a1', name: 'area', label: null, dataType: 'number', allowedValues: null },
    pipelineVersion: 1,
    signal: new AbortController().signal,
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
  const compute = (code: string, other: Partial<BatchSurroundings> = {}) =>
    computeValues([{ definition: calculation.definition, settings: { code } }], entities, {
      ...surroundings(),
      ...other,
    });

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
    const signal = AbortSignal.timeout(30);
    await expect(compute('for (;;) {}', { signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  it('tells of an entity that fails what it has written last', async () => {
    const code = `console.log('width', $json.width);
if ($json.width === 1) return 1;
if ($json.width === 2) { console.log('no area'); throw new Error('two'); }
for (let n = 0; n < 40; n += 1) console.log('row', n, 'x'.repeat(40));
return {};`;
    const [first, second, third] = await compute(code);
    expect(first).toMatchObject({ value: 1, meta: { logs: ['width 1'] } });
    expect(second?.end).toMatchObject({
      message: 'Error: two (line 3) (logged: width 2 | no area)',
    });
    expect(third?.end).toMatchObject({
      message: expect.stringMatching(/^TypeError: .* \(logged: ….{452} row 39 x{40}\)$/),
    });
  });

  it('waits for its turn behind many others, whatever becomes of them', async () => {
    const narrow = quickjsSandbox({ timeoutMs: 200, waiting: 1 });
    const waits: number[] = [];
    const sleep = (ms: number): Promise<void> => {
      waits.push(ms);
      return delay(ms / 20);
    };
    try {
      const [endless, ...others] = await Promise.all(
        ['for (;;) {}', 'return 1;', 'return 2;', 'return 3;'].map((code) =>
          compute(code, { sandbox: narrow, sleep }),
        ),
      );
      expect(endless).toMatchObject([1, 2, 3].map(() => ({ end: { kind: 'failed' } })));
      expect(others).toMatchObject([1, 2, 3].map((value) => [1, 2, 3].map(() => ({ value }))));
      expect(new Set(waits)).toEqual(new Set([1_000]));
      // Not for ever: then it is the attempt that is lost.
      const loop = compute('for (;;) {}', { sandbox: narrow });
      const next = compute('return 1;', { sandbox: narrow });
      await expect(compute('return 2;', { sandbox: narrow })).rejects.toMatchObject({
        name: 'SandboxUnavailable',
        reason: 'busy',
      });
      await Promise.all([loop, next]);
    } finally {
      await narrow.close();
    }
  });

  it('fails nobody when its sandbox cannot begin, or is closed: the attempt is lost', async () => {
    // More memory than WebAssembly can have.
    const absent = quickjsSandbox({ memoryBytes: 2 ** 33 });
    const tried = await compute('return 1;', { sandbox: absent }).catch((error: unknown) => error);
    expect(tried).toMatchObject({ name: 'SandboxUnavailable', reason: 'start' });
    expect(isRetryable(tried)).toBe(true);
    await absent.close();
    const again = await compute('return 1;', { sandbox: absent }).catch((error: unknown) => error);
    expect(again).toMatchObject({ name: 'SandboxUnavailable', reason: 'closed' });
    expect(isRetryable(again)).toBe(true);
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
