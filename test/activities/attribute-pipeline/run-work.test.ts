import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openCatalog, type Catalog } from '../../../adapters/catalog/open-catalog.js';
import { moduleResult, type ModuleResult } from '../../../src/attribute-pipeline/module.js';
import { ModelAnswerInvalid } from '../../../src/pipeline/built-in/model-answer-invalid.js';
import { describePostgres, usePostgresDatabase } from '../../support/postgres.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { ANN, Products, type Process } from './working.js';

/** Gives for each entity what a function of its inputs says, and counts the entities. */
function each(
  give: (inputs: Readonly<Record<string, unknown>>) => ModuleResult,
): Process & { readonly count: { entities: number; batches: number } } {
  const count = { entities: 0, batches: 0 };
  const process: Process = (contexts) => {
    count.entities += contexts.length;
    count.batches += 1;
    return contexts.map(({ inputs }) => give(inputs));
  };
  return Object.assign(process, { count });
}

const area = () =>
  each(({ width, height }) => moduleResult.ok(Number(width) * Number(height), { confidence: 1 }));

describe('the work of a run on SQLite', () => {
  const folder = useTemporaryDirectory();
  testRunWork(() => `sqlite:${join(folder.path, 'catalog.db')}`);
});

describePostgres('the work of a run on PostgreSQL', () => {
  const database = usePostgresDatabase();
  testRunWork(() => database.url);
});

/** @param url - of an empty catalog, for each test */
function testRunWork(url: () => string): void {
  let catalog: Catalog;
  let products: Products;
  beforeEach(async () => {
    catalog = await openCatalog({ url: url() });
    products = new Products(catalog);
  });
  afterEach(() => catalog.close());

  it('computes every value, and then only those whose inputs have changed', async () => {
    const ids = await products.begin(10);
    const process = area();
    await products.compute('area', ['width', 'height'], process);
    expect((await products.run('area')).counts).toEqual({
      processed: 10,
      failed: 0,
      skipped: 0,
      unchanged: 0,
      batches: 3,
    });
    expect(await products.values('area')).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    const { values } = await catalog.entities.entity(ids[1]!);
    expect(values.area).toMatchObject({
      inputHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      inputs: { width: 1, height: 1 },
      confidence: 1,
      pipelineVersion: 1,
    });
    expect((await products.run('area')).counts.batches).toBe(0);
    await products.save([{ key: 'p2', width: 100 }]);
    expect((await products.run('area')).counts).toMatchObject({ processed: 1, unchanged: 0 });
    expect(process.count.entities).toBe(11);
    expect((await catalog.entities.entity(ids[1]!)).values.area).toMatchObject({
      current: 200,
      inputs: { width: 2, height: 1 },
    });
  });

  it('computes nothing where inputs have changed back, and everything when it is forced', async () => {
    await products.begin(3);
    const process = area();
    await products.compute('area', ['width', 'height'], process);
    await products.run('area');
    await products.save([{ key: 'p2', width: 100 }]);
    await products.save([{ key: 'p2', width: 2 }]);
    expect((await products.run('area')).counts).toMatchObject({ processed: 0, unchanged: 1 });
    expect((await products.run('area', { force: true })).counts).toMatchObject({ processed: 3 });
    expect(process.count.entities).toBe(6);
  });

  it('pays for nothing twice, also where the value stays the same', async () => {
    await products.begin(3);
    const usage = [{ model: 'fast', inputTokens: 500, outputTokens: 20 }];
    const process = each(() => moduleResult.ok(7, { usage }));
    await products.compute('area', ['width', 'height'], process);
    expect(await products.run('area')).toMatchObject({ tokensIn: 1_500, tokensOut: 60, cost: 1.5 });
    await products.save([{ key: 'p1', width: 50 }]);
    expect(await products.run('area')).toMatchObject({ tokensIn: 500, cost: 0.5 });
    // What came out is what was there; that it was computed from this is known all the same.
    const { attributePipelines } = catalog;
    const place = { entityType: 'product', attribute: 'area' };
    const { modules } = await attributePipelines.pipeline(place);
    await attributePipelines.changePipeline(place, { modules, name: 'Area' }, 1, ANN);
    const all = (await catalog.entities.entities('product', { limit: 9 })).items;
    const again = await products.run('area', { entityIds: all.map(({ id }) => id) });
    expect(again).toMatchObject({ counts: { unchanged: 3, processed: 0 }, tokensIn: null });
    expect(process.count.entities).toBe(4);
  });

  it('leaves values alone of which a module has nothing to say', async () => {
    await products.begin(3);
    const process = each(({ width }) =>
      Number(width) > 50 ? moduleResult.skipped('too wide') : moduleResult.ok(Number(width)),
    );
    await products.compute('area', ['width', 'height'], process);
    await products.run('area');
    await products.save([{ key: 'p2', width: 51 }]);
    expect((await products.run('area')).counts).toMatchObject({ processed: 0, skipped: 1 });
    expect(await products.values('area')).toEqual([1, 2, 3]);
    expect((await products.run('area')).counts).toMatchObject({ skipped: 0, batches: 0 });
    // Asked about all of them, it has the module look at none once more; new ones it shows it.
    const { items } = await catalog.entities.entities('product', { limit: 9 });
    const entityIds = items.map(({ id }) => id);
    expect((await products.run('area', { entityIds })).counts).toMatchObject({ unchanged: 3 });
    expect(process.count.entities).toBe(4);
    await products.save([{ key: 'p2', width: 20 }]);
    expect((await products.run('area')).counts).toMatchObject({ processed: 1 });
    expect(await products.values('area')).toEqual([1, 20, 3]);
  });

  it('shows a module that has passed over an entity without a value the same entity once', async () => {
    const ids = await products.begin(2);
    const usage = [{ model: 'fast', inputTokens: 500, outputTokens: 20 }];
    const process = each(() => moduleResult.skipped('nothing to say', usage));
    await products.compute('area', ['width', 'height'], process);
    expect(await products.run('area')).toMatchObject({ counts: { skipped: 2 }, cost: 1 });
    expect(await products.run('area', { entityIds: ids })).toMatchObject({
      counts: { skipped: 0, unchanged: 2 },
      cost: null,
    });
    expect(await products.values('area')).toEqual([undefined, undefined]);
    // What a person sets is the first value that there is.
    const { entities } = catalog;
    const place = { entityId: ids[0]!, attribute: 'area' };
    const set = { kind: 'overridden', value: 5 } as const;
    expect(await entities.changeValue(place, set, 0, ANN)).toMatchObject({ version: 1 });
    expect(await entities.history(place, { limit: 9 })).toMatchObject({
      items: [{ version: 1, change: 'overridden' }],
    });
    expect((await products.run('area', { force: true })).counts).toMatchObject({ skipped: 2 });
  });

  it('ends with the first entity that fails, and keeps what was finished beside it', async () => {
    await products.begin(10);
    const process = each(({ width }) =>
      width === 6 ? moduleResult.error('six is odd') : moduleResult.ok(Number(width)),
    );
    await products.compute('area', ['width', 'height'], process);
    const failed = await products.run('area');
    expect(failed).toMatchObject({
      status: 'failed',
      errorMessage: 'six is odd',
      counts: { processed: 7, failed: 1, batches: 2 },
    });
    const none = undefined;
    expect(await products.values('area')).toEqual([1, 2, 3, 4, 5, none, 7, 8, none, none]);
    // Mended, it goes on with what is left: what was finished is not computed again.
    await products.save([{ key: 'p6', width: 60 }]);
    const mended = await products.run('area');
    expect(mended).toMatchObject({ status: 'completed', counts: { processed: 3, unchanged: 7 } });
    expect(await products.values('area')).toEqual([1, 2, 3, 4, 5, 60, 7, 8, 9, 10]);
  });

  it('computes what has failed when it is tried again, also where nothing has changed since', async () => {
    await products.begin(2);
    let broken = false;
    const process = each(({ width }) =>
      broken ? moduleResult.error('no') : moduleResult.ok(Number(width) * 10),
    );
    await products.compute('area', ['width'], process, { onError: 'continue' });
    await products.run('area');
    broken = true;
    const failed = await products.run('area', { force: true });
    expect(failed.counts).toMatchObject({ failed: 2 });
    broken = false;
    const again = await products.run('area', { retryOf: failed.id });
    expect(again.counts).toMatchObject({ processed: 2, unchanged: 0 });
  });

  it('counts what models have answered for entities that are not written, when it fails or is cancelled', async () => {
    await products.begin(8);
    let asked = 0;
    products.answer = () => {
      asked += 1;
      if (asked === 6)
        return Promise.reject(
          new ModelAnswerInvalid('fast', 'no number', { inputTokens: 500, outputTokens: 1 }),
        );
      return Promise.resolve({ output: 1, inputTokens: 1_000, outputTokens: 2 });
    };
    const usage = [{ model: 'fast', inputTokens: 1_000, outputTokens: 2 }];
    // The second batch has two answers, one of which cannot be used, when the first one fails.
    let second: (() => void) | undefined;
    const reached = new Promise<void>((resolve) => (second = resolve));
    await products.compute('area', ['width'], async (contexts, { model, signal }) => {
      const { generate } = model('fast');
      const ask = () => generate({ prompt: '', signal });
      if (contexts[0]!.inputs['width'] === 1) {
        for (let call = 0; call < 4; call += 1) await ask();
        await reached;
        return contexts.map(({ inputs }) =>
          inputs['width'] === 2
            ? moduleResult.error('two is odd', usage)
            : moduleResult.ok(1, { usage }),
        );
      }
      while (asked < 4) await delay(1);
      await ask();
      await ask().catch(() => undefined);
      second?.();
      await delay(60_000, undefined, { signal });
      return [];
    });
    const failed = await products.run('area');
    expect(failed).toMatchObject({
      status: 'failed',
      counts: { processed: 3, failed: 1, batches: 1 },
      tokensIn: 5_500,
      tokensOut: 11,
      cost: 5.5,
    });
    const { attributeRuns } = products.catalog;
    const costs = await attributeRuns.costs({ by: ['run'], limit: 10 });
    expect(costs).toMatchObject([{ run: failed.id, calls: 6, cost: 5.5 }]);

    const cancelling = new AbortController();
    await products.compute('size', ['width'], async (_contexts, { model, signal }) => {
      await model('fast').generate({ prompt: '', signal });
      cancelling.abort(new Error('cancelled'));
      await delay(60_000, undefined, { signal });
      return [];
    });
    const run = await products.claim('size');
    await expect(products.work(run, cancelling.signal)).rejects.toThrow('cancelled');
    expect(await attributeRuns.run(run.id)).toMatchObject({
      tokensIn: expect.any(Number),
      counts: { processed: 0, batches: 0 },
    });
  });

  it('goes on where its pipeline says so, and tries those alone that have failed', async () => {
    await products.begin(10);
    let broken = true;
    const process = each(({ width }) =>
      broken && Number(width) % 5 === 0
        ? moduleResult.error('five')
        : moduleResult.ok(Number(width)),
    );
    await products.compute('area', ['width', 'height'], process, { onError: 'continue' });
    const first = await products.run('area');
    expect(first).toMatchObject({ status: 'completed', counts: { processed: 8, failed: 2 } });
    const failures = await catalog.attributeRuns.failures(first.id, { limit: 5 });
    expect(failures.items).toMatchObject([{ module: 'processor', message: 'five' }, {}]);
    broken = false;
    const retried = await products.run('area', { retryOf: first.id });
    expect(retried.counts).toMatchObject({ processed: 2, batches: 1 });
    expect(await products.values('area')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('warns of a model without a price, which no budget holds', async () => {
    await products.begin(2);
    const used = (model: string) => [{ model, inputTokens: 10, outputTokens: 1 }];
    const process = each(({ width }) =>
      moduleResult.ok(1, { usage: used(width === 1 ? 'free' : 'fast') }),
    );
    await products.compute('area', ['width'], process, { dayBudget: 5 });
    const { warnings } = await products.run('area');
    expect(warnings).toEqual([
      'Model "free" has no price in config.yml: what it takes is not held against the budget.',
    ]);
    await products.compute('size', ['width'], process);
    expect((await products.run('size')).warnings).toEqual([]);
  });

  it('looks at no more entities than it may', async () => {
    await products.begin(10);
    const process = area();
    await products.compute('area', ['width', 'height'], process);
    expect((await products.run('area', { maxEntities: 5 })).counts).toMatchObject({
      processed: 5,
      batches: 2,
    });
    const filter = [{ attribute: 'width', operator: '>', value: 7 }] as const;
    const filtered = await products.run('area', { filter, maxEntities: 2 });
    expect(filtered.counts.processed).toBe(2);
    expect((await products.run('area')).counts).toMatchObject({ processed: 3, unchanged: 7 });
  });

  it('goes on behind what was written when an attempt was lost', async () => {
    await products.begin(10);
    let isLost = false;
    const seen: number[] = [];
    const process = each(({ width }) => {
      seen.push(Number(width));
      return moduleResult.ok(Number(width));
    });
    const losing: Process = (contexts, surroundings) => {
      // In the second batch: batches overlap, so that the second call may be of another.
      if (!isLost && contexts.some(({ inputs }) => inputs['width'] === 5)) {
        isLost = true;
        throw new Error('the machine went away');
      }
      return process(contexts, surroundings);
    };
    await products.compute('area', ['width', 'height'], losing);
    const run = await products.claim('area');
    await expect(products.work(run)).rejects.toThrow('the machine went away');
    expect(await products.values('area')).toEqual([
      1,
      2,
      3,
      4,
      ...Array<undefined>(6).fill(undefined),
    ]);
    expect(await products.work(run)).toMatchObject({ done: true });
    expect(await products.values('area')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(seen.filter((width) => width <= 8).sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ]);
    await expect(products.work(run, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow(
      'cancelled',
    );
  });

  it('is lost by all but one of the attempts that go on at the same time', async () => {
    await products.begin(20);
    await products.compute('area', ['width', 'height'], area());
    const run = await products.claim('area');
    const attempts = await Promise.allSettled([products.work(run), products.work(run)]);
    const lost = attempts.filter(({ status }) => status === 'rejected');
    expect(lost).toMatchObject([{ reason: { name: 'RunFenceLost' } }]);
    expect((await catalog.attributeRuns.run(run.id)).counts).toMatchObject({ processed: 20 });
  });

  it('computes one attribute from another, and only where that has changed', async () => {
    await products.begin(4);
    const halves = each(({ area: of }) => moduleResult.ok(Number(of) / 2));
    await products.compute('area', ['width', 'height'], area());
    await products.compute('half', ['area'], halves);
    await products.run('area');
    await products.run('half');
    expect(await products.values('half')).toEqual([1, 2, 3, 4]);
    // Another width, the same area.
    await products.save([
      { key: 'p1', width: 2, height: 1 },
      { key: 'p2', width: 10 },
    ]);
    expect((await products.run('area')).counts.processed).toBe(2);
    expect((await products.run('half')).counts).toMatchObject({ processed: 1, unchanged: 0 });
    expect(await products.values('half')).toEqual([1, 10, 3, 4]);
    expect(halves.count.entities).toBe(5);
  });
}
