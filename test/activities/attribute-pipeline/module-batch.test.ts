import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  batchEntity,
  computeValues,
  gatherInputs,
  type BatchModule,
  type BatchSurroundings,
} from '../../../activities/attribute-pipeline/module-batch.js';
import {
  defineModule,
  moduleResult,
  type ModuleDefinition,
  type ModuleType,
} from '../../../src/attribute-pipeline/module.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';
import type { JsonObject } from '../../../src/definition/json.js';

const nothing = (): void => undefined;

function surroundings(signal = new AbortController().signal): BatchSurroundings {
  const none = (): never => {
    throw new Error('no module of these tests asks for it');
  };
  return {
    attribute: { id: 'a1', name: 'score', label: null, dataType: 'integer', allowedValues: null },
    pipelineVersion: 3,
    signal,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    run: {
      id: 'attribute_pipeline/product.area/1',
      name: 'product.area',
      kind: 'attribute_pipeline',
    },
    limit: () => (work) => work(),
    sleep: () => Promise.resolve(),
    services: NO_SERVICES,
    model: none,
    sandbox: { run: none, check: none, close: none },
    labelOf: (name) => name,
  };
}

function moduleOf(
  type: ModuleType,
  slug: string,
  process: ModuleDefinition['process'],
  settings: JsonObject = {},
  timeoutSeconds = 5,
): BatchModule {
  const { definition } = defineModule({
    slug,
    label: slug,
    description: slug,
    type,
    settings: z.looseObject({}),
    timeoutSeconds,
    process,
  });
  return { definition, settings };
}

const source = moduleOf('source', 'row', (contexts) =>
  contexts.map(({ inputs }) => moduleResult.ok(inputs)),
);
const entities = [1, 2, 3].map((n) => ({
  ...batchEntity(`e${String(n)}`, n * 10),
  inputs: { size: n },
}));
const given = (_source: BatchModule, entityId: string): JsonObject => ({
  size: Number(entityId.slice(1)),
});

/** Gives what a function of the size says. */
function sized(slug: string, give: (size: number) => ReturnType<typeof moduleResult.ok>) {
  return moduleOf('processor', slug, (contexts) =>
    contexts.map(({ inputs }) => give(Number(inputs.size))),
  );
}

describe('modules of a batch', () => {
  it('get what the sources have given together, and what the processor before has come to', async () => {
    const seen: unknown[] = [];
    const more = moduleOf('source', 'more', (contexts) =>
      contexts.map(({ entityId }) => moduleResult.ok({ id: entityId })),
    );
    const double = moduleOf(
      'processor',
      'double',
      (contexts, { settings }) =>
        contexts.map((context) => {
          seen.push({ ...context, settings });
          return moduleResult.ok(Number(context.value) * 2, {
            confidence: 0.5,
            meta: { by: 'double' },
          });
        }),
      { digits: 2 },
    );
    const next = moduleOf('processor', 'next', (contexts) =>
      contexts.map(({ value, meta, inputs }) =>
        moduleResult.ok(Number(value) + Number(inputs.size), {
          confidence: 0.9,
          justification: `after ${JSON.stringify(meta.by)}`,
        }),
      ),
    );
    const gathered = await gatherInputs([source, more], entities, surroundings(), given);
    const computed = await computeValues([double, next], gathered, surroundings());
    expect(computed).toMatchObject([
      { entityId: 'e1', value: 21, confidence: 0.9, justification: 'after "double"' },
      { entityId: 'e2', value: 42 },
      { entityId: 'e3', value: 63, meta: { by: 'double' } },
    ]);
    expect(seen[1]).toEqual({
      entityId: 'e2',
      attributeId: 'a1',
      inputs: { size: 2, id: 'e2' },
      value: 20,
      meta: {},
      batchIndex: 1,
      pipelineVersion: 3,
      settings: { digits: 2 },
    });
  });

  it('get no entity that was skipped or has failed before, and what was paid for it is known', async () => {
    const usage = [{ model: 'fast', inputTokens: 10, outputTokens: 2 }];
    const choosy = sized('choosy', (size) =>
      size === 1
        ? moduleResult.skipped('too small', usage)
        : size === 2
          ? moduleResult.error(['no', 'never'], usage)
          : moduleResult.ok(size, { usage, warnings: ['close'] }),
    );
    const counts: number[] = [];
    const last = moduleOf('processor', 'last', (contexts) => {
      counts.push(contexts.length);
      return contexts.map(({ value }) => moduleResult.ok(value, { usage }));
    });
    const computed = await computeValues([choosy, last], entities, surroundings());
    expect(counts).toEqual([1]);
    expect(computed).toMatchObject([
      { end: { kind: 'skipped', reason: 'too small', by: 'processor' }, usage },
      { end: { kind: 'failed', module: 'choosy', message: 'no; never' }, usage },
      { value: 3, usage: [...usage, ...usage], warnings: ['close'] },
    ]);
    expect(computed[2]?.end).toBeUndefined();
  });

  it('fail an entity whose value its attribute cannot have, or whose confidence is none', async () => {
    const odd = sized('odd', (size) =>
      size === 1
        ? moduleResult.ok('many')
        : moduleResult.ok(size, { confidence: size === 2 ? 1.5 : Number.NaN }),
    );
    expect(await computeValues([odd], entities, surroundings())).toMatchObject([
      { end: { module: 'odd', message: expect.stringMatching(/score is a whole number.*"many"/) } },
      { end: { message: 'confidence is 0 to 1, and was 1.5' } },
      { end: { message: 'confidence is 0 to 1, and was NaN' } },
    ]);
  });

  it('fail an entity of which a source gives no object', async () => {
    const list = moduleOf('source', 'list', (contexts) =>
      contexts.map(({ inputs }) => moduleResult.ok(inputs.size === 2 ? [1] : inputs)),
    );
    const gathered = await gatherInputs([list], entities, surroundings(), given);
    expect(gathered.map(({ end }) => end?.kind)).toEqual([undefined, 'failed', undefined]);
  });

  it.each([
    [
      'fewer results than contexts',
      () => [moduleResult.ok(1)],
      /each of the 3 contexts, and gave 1/,
    ],
    ['nothing at all', () => undefined, /each of the 3 contexts, and gave undefined/],
    ['something else', () => [1, 2, 3], /result 0 is none/],
  ])('lose the attempt with %s', async (_, give, message) => {
    const broken = moduleOf('processor', 'broken', give as unknown as ModuleDefinition['process']);
    await expect(computeValues([broken], entities, surroundings())).rejects.toThrow(message);
  });

  it('lose the attempt with what they throw', async () => {
    const throwing = moduleOf('processor', 'throwing', () => {
      throw new RangeError('out of paper');
    });
    await expect(computeValues([throwing], entities, surroundings())).rejects.toThrow(RangeError);
  });

  it('are left to themselves when they take too long, or their run is cancelled', async () => {
    const signals: AbortSignal[] = [];
    const slow = moduleOf(
      'processor',
      'slow',
      async (contexts, { signal }) => {
        signals.push(signal);
        await delay(2_000, undefined, { ref: false });
        return contexts.map(() => moduleResult.ok(1));
      },
      {},
      0.05,
    );
    await expect(computeValues([slow], entities, surroundings())).rejects.toThrow(
      /Module slow: a batch took longer than 0.05 s/,
    );
    const cancelled = AbortSignal.timeout(20);
    await expect(computeValues([slow], entities, surroundings(cancelled))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});
