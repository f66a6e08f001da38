import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { AttributeSchedules } from '../../engine/attribute-pipeline/attribute-schedules.js';
import { defineModule, moduleResult } from '../../src/attribute-pipeline/module.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import { by, useAttributeStacks, type AttributeStack } from '../support/attribute-stack.js';
import { until } from '../support/until.js';

const integer = { dataType: 'integer' } as const;
const computed = { ...integer, editable: 'no' } as const;

/** All runs of the stack's pipelines that have ended, oldest first. */
async function ended(stack: AttributeStack): Promise<readonly AttributeRun[]> {
  const { items } = await stack.attributes.runs.runs({ limit: 100 }, { entityType: stack.type });
  return items.filter(({ completedAt }) => completedAt !== null).reverse();
}

/** Waits until an attribute has these values. */
async function untilValues(
  stack: AttributeStack,
  attribute: string,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  await until(async () => {
    const found = await stack.values(attribute);
    return JSON.stringify(found) === JSON.stringify(values) ? true : undefined;
  });
}

/** Waits until nothing is left to do, and gives what that has come to. */
async function refreshed({ env, type }: AttributeStack): Promise<unknown> {
  const refresh = `millrace/refresh/${env.taskQueue}/${type}`;
  return env.engine.temporal.client.workflow.getHandle(refresh).result();
}

describe('what is saved', () => {
  const start = useAttributeStacks();

  /** area = width * height, volume = area * depth, and a label that reads none of them. */
  async function chain(): Promise<AttributeStack> {
    const stack = await start(
      {},
      {
        width: integer,
        height: integer,
        depth: integer,
        name: { dataType: 'text' },
        area: computed,
        volume: computed,
        shout: { dataType: 'text', editable: 'no' },
      },
    );
    await stack.calculate('volume', ['area', 'depth'], 'return $json.area * $json.depth');
    await stack.calculate('area', ['width', 'height'], 'return $json.width * $json.height');
    await stack.calculate('shout', ['name'], 'return $json.name.toUpperCase()');
    await stack.save({
      a: { width: 2, height: 3, depth: 4, name: 'box' },
      b: { width: 1, height: 1, depth: 1, name: 'cube' },
    });
    await untilValues(stack, 'volume', { a: 24, b: 1 });
    await untilValues(stack, 'shout', { a: 'BOX', b: 'CUBE' });
    await refreshed(stack);
    return stack;
  }

  it('has only the pipelines run that read it, for that entity, and on through what depends on them', async () => {
    const stack = await chain();
    const before = new Set((await ended(stack)).map(({ id }) => id));
    await stack.save({ b: { width: 5 } });
    await untilValues(stack, 'volume', { a: 24, b: 5 });
    await refreshed(stack);
    const runs = (await ended(stack)).filter(({ id }) => !before.has(id));
    expect(
      runs.map(({ attribute, trigger, counts, status }) => [
        attribute,
        trigger,
        counts.processed,
        status,
      ]),
    ).toEqual([
      ['area', 'entity_save', 1, 'completed'],
      ['volume', 'entity_save', 1, 'completed'],
    ]);
  });

  it('and what a run that somebody asks for has written is read by those that depend on it', async () => {
    const stack = await chain();
    await refreshed(stack);
    // Beside the engine, so that nothing runs by itself.
    const { attributes } = stack;
    const { handle } = await attributes.run(stack.place('area'), { force: true });
    await handle.result();
    const { lockVersion } = await attributes.pipelines.pipeline(stack.place('area'));
    const modules = [
      { module: 'attributes_source', settings: { attributes: ['width', 'height'] } },
      { module: 'calculation', settings: { code: 'return $json.width * $json.height * 10' } },
    ];
    await attributes.changePipeline(stack.place('area'), { modules }, lockVersion, by());
    await (await attributes.run(stack.place('area'))).handle.result();
    await untilValues(stack, 'volume', { a: 240, b: 10 });
  });

  it('twice at once is looked at together', async () => {
    const stack = await chain();
    const before = (await ended(stack)).length;
    await Promise.all([
      stack.save({ a: { width: 3 } }),
      stack.save({ a: { height: 7 } }),
      stack.save({ b: { width: 9 } }),
    ]);
    await untilValues(stack, 'volume', { a: 84, b: 9 });
    await refreshed(stack);
    const runs = (await ended(stack)).slice(before);
    expect(runs.map(({ attribute, counts }) => [attribute, counts.processed])).toEqual([
      ['area', 2],
      ['volume', 2],
    ]);
  });

  it('and changes nothing that others read ends there', async () => {
    const stack = await chain();
    const before = (await ended(stack)).length;
    await stack.save({ a: { width: 3, height: 2 } });
    await until(async () => ((await ended(stack)).length > before ? true : undefined));
    await refreshed(stack);
    const runs = (await ended(stack)).slice(before);
    expect(runs.map(({ attribute }) => attribute)).toEqual(['area']);
    expect(await stack.values('volume')).toEqual({ a: 24, b: 1 });
  });

  it('is tried once where its pipeline fails, and again when something changes again', async () => {
    const stack = await start({}, { width: integer, area: computed });
    await stack.calculate(
      'area',
      ['width'],
      "if ($json.width < 0) throw new Error('negative'); return $json.width",
    );
    await stack.save({ a: { width: -1 } });
    await until(async () => ((await ended(stack)).length > 0 ? true : undefined));
    expect(await refreshed(stack)).toEqual({ completed: 0, failed: 1 });
    expect((await ended(stack)).map(({ status }) => status)).toEqual(['failed']);
    await stack.save({ a: { width: 1 } });
    await untilValues(stack, 'area', { a: 1 });
  });
});

describe('all pipelines of a type', () => {
  const start = useAttributeStacks();

  it('run once each, in the order in which they depend on each other', async () => {
    const stack = await start(
      {},
      { width: integer, one: computed, two: computed, three: computed },
    );
    const width = await stack.save({ a: { width: 1 } });
    expect(width).toHaveLength(1);
    await stack.calculate('three', ['two'], 'return $json.two + 1');
    await stack.calculate('two', ['one'], 'return $json.one + 1');
    await stack.calculate('one', ['width'], 'return $json.width + 1');
    const { workflowId } = await stack.attributes.refresh.all({
      kind: 'all',
      entityType: stack.type,
      trigger: 'schedule',
      task: { force: false },
    });
    const handle = stack.env.engine.temporal.client.workflow.getHandle(workflowId);
    expect(await handle.result()).toEqual({ completed: 3, failed: 0 });
    expect(await stack.values('three')).toEqual({ a: 4 });
    const runs = await ended(stack);
    expect(runs.map(({ attribute, trigger }) => [attribute, trigger])).toEqual([
      ['one', 'schedule'],
      ['two', 'schedule'],
      ['three', 'schedule'],
    ]);
  });

  it('run by themselves only where they are automatic, and go on from what they have missed', async () => {
    const stack = await start({}, { width: integer, area: computed, price: computed });
    await stack.calculate('area', ['width'], 'return $json.width * 2');
    await stack.calculate('price', ['area'], 'return $json.area * 10', { automatic: false });
    await stack.save({ a: { width: 1 } });
    await untilValues(stack, 'area', { a: 2 });
    const all = async (trigger: 'schedule' | 'manual'): Promise<unknown> => {
      const { workflowId: id } = await stack.attributes.refresh.all({
        kind: 'all',
        entityType: stack.type,
        trigger,
        task: { force: false },
      });
      return stack.env.engine.temporal.client.workflow.getHandle(id).result();
    };
    expect(await all('schedule')).toEqual({ completed: 1, failed: 0 });
    expect(await stack.values('price')).toEqual({});
    expect(await all('manual')).toEqual({ completed: 2, failed: 0 });
    expect(await stack.values('price')).toEqual({ a: 20 });
    await stack.save({ a: { width: 3 } });
    await untilValues(stack, 'area', { a: 6 });
    expect(await stack.values('price')).toEqual({ a: 20 });
    await stack.attributes.changePipeline(stack.place('price'), { automatic: true }, 1, by());
    await untilValues(stack, 'price', { a: 60 });
  });

  it('have sources read again that read elsewhere, and compute what is other then', async () => {
    const stock = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    let readings = 0;
    const stockSource = defineModule({
      slug: 'stock',
      label: 'Stock',
      description: 'What the shelves have.',
      type: 'source',
      settings: z.strictObject({}),
      inputAttributes: () => ['sku'],
      readsElsewhere: true,
      process: (contexts) =>
        contexts.map(({ inputs: { sku } }) => {
          readings += 1;
          return moduleResult.ok({ left: stock.get(sku as string) ?? 0 });
        }),
    });
    const stack = await start(
      { modules: [stockSource] },
      { sku: { dataType: 'text' }, left: computed },
    );
    await stack.save({ a: { sku: 'a' }, b: { sku: 'b' } });
    const pipeline = await stack.attributes.addPipeline(
      stack.place('left'),
      {
        modules: [
          { module: 'stock', settings: {} },
          { module: 'calculation', settings: { code: 'return $json.left' } },
        ],
      },
      by(),
    );
    expect(pipeline).toMatchObject({ readsElsewhere: true, inputs: ['sku'] });
    const nightly = async (): Promise<AttributeRun | undefined> => {
      const { workflowId: id } = await stack.attributes.refresh.all({
        kind: 'all',
        entityType: stack.type,
        trigger: 'schedule',
        task: { force: false },
      });
      await stack.env.engine.temporal.client.workflow.getHandle(id).result();
      return (await ended(stack)).at(-1);
    };
    expect((await nightly())?.counts).toMatchObject({ processed: 2, unchanged: 0 });
    expect(await stack.values('left')).toEqual({ a: 1, b: 2 });
    stock.set('b', 7);
    expect((await nightly())?.counts).toMatchObject({ processed: 1, unchanged: 1 });
    expect(await stack.values('left')).toEqual({ a: 1, b: 7 });
    expect(readings).toBe(4);
    // What is saved of one entity has nothing read for the others.
    await stack.save({ a: { sku: 'b' } });
    await untilValues(stack, 'left', { a: 7, b: 7 });
    expect(readings).toBe(5);
  });

  it('run each night by a schedule of Temporal, and what was left each minute', async () => {
    const stack = await start({}, { width: integer, area: computed });
    await stack.calculate('area', ['width'], 'return $json.width');
    // Saved by another process, which could not tell anybody.
    const { taskQueue, engine } = stack.env;
    const { client } = engine.temporal;
    const schedules = new AttributeSchedules({
      client,
      taskQueue,
      settings: { routes: false, nightly: { hour: 2, minute: 0 }, timeZone: 'Europe/Berlin' },
    });
    const nightly = client.schedule.getHandle(`millrace/attributes/nightly/${taskQueue}`);
    const minutely = client.schedule.getHandle(`millrace/attributes/${taskQueue}`);
    try {
      // Nothing is there to be brought up to date.
      await schedules.keepExisting();
      await expect(nightly.describe()).rejects.toThrow();
      await schedules.keep();
      await nightly.pause('by an operator');
      await schedules.keepExisting();
      const { spec, state, info } = await nightly.describe();
      expect(spec).toMatchObject({ timezone: 'Europe/Berlin' });
      expect(state).toMatchObject({ paused: true, note: 'by an operator' });
      expect(info.nextActionTimes[0]?.toLocaleTimeString('en', { timeZone: 'Europe/Berlin' })).toBe(
        '2:00:00 AM',
      );
      await stack.save({ a: { width: 7 } });
      await untilValues(stack, 'area', { a: 7 });
      await nightly.trigger();
      await until(async () => {
        const runs = await ended(stack);
        return runs.some(({ trigger }) => trigger === 'schedule') ? true : undefined;
      });
      await minutely.trigger();
      await until(async () => {
        const { recentActions } = (await minutely.describe()).info;
        return recentActions.length > 0 ? true : undefined;
      });
    } finally {
      await nightly.delete();
      await minutely.delete();
    }
  });
});
