import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { openCatalog } from '../../../adapters/catalog/open-catalog.js';
import { entitiesSink as sinkDefinition } from '../../../adapters/connector/entities/entities-sink.js';
import { entitiesSource as sourceDefinition } from '../../../adapters/connector/entities/entities-source.js';
import { ATTRIBUTE_DEFAULTS } from '../../../src/attribute-pipeline/attribute.js';
import type { EntityCatalog } from '../../../src/attribute-pipeline/entity-catalog.js';
import type { SinkConnector } from '../../../src/data-flow/sink.js';
import type { SourceBatch, SourceConnector } from '../../../src/data-flow/source.js';
import type { JsonObject } from '../../../src/definition/json.js';
import { sinkChecks } from '../../../testing/sink-conformance.js';
import { ANN } from '../../conformance/attributes/open-attributes.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { batchesOf, errorOf } from './reading.js';
import { batch, opened, refusal } from './writing.js';

const entitiesSink: SinkConnector = sinkDefinition;
const entitiesSource: SourceConnector = sourceDefinition;
const folder = useTemporaryDirectory();

let catalog: Awaited<ReturnType<typeof openCatalog>>;
let entities: EntityCatalog;
beforeEach(async () => {
  catalog = await openCatalog({ url: `sqlite:${join(folder.path, 'catalog.db')}` });
  ({ entities } = catalog);
});
afterEach(() => catalog.close());

/** An entity type with attributes, as somebody may have it. */
async function prepare(type: string, attributes: Readonly<Record<string, object>>): Promise<void> {
  await entities.addEntityType({ name: type, label: null, description: null }, ANN);
  for (const [name, settings] of Object.entries(attributes))
    await entities.addAttribute(type, { ...ATTRIBUTE_DEFAULTS, ...settings, name }, ANN);
}

const VASE = {
  material: {},
  height: { dataType: 'number' },
  pieces: { dataType: 'integer' },
  sold: { dataType: 'boolean' },
  sizes: { dataType: 'json' },
  brand: { dataType: 'belongs_to', relatedType: 'brand' },
  shops: { dataType: 'belongs_to_multi', relatedType: 'brand' },
};

async function content(type = 'vase'): Promise<readonly JsonObject[]> {
  const { items } = await entities.entities(type, { limit: 1_000 });
  return items.map(({ key, values }) => ({
    key,
    ...Object.fromEntries(Object.entries(values).map(([name, { current }]) => [name, current!])),
  }));
}

const given = () => ({ entities: async () => entities });

function sink(options: JsonObject) {
  return opened(entitiesSink, { entityType: 'vase', key: 'sku', ...options }, given());
}

describe('the entities sink', () => {
  const checks = sinkChecks({
    sink: entitiesSink,
    setUp: async () => {
      await prepare('vase', { material: {}, height: { dataType: 'number' } });
      await prepare('jug', { material: {}, height: { dataType: 'number' } });
      await entities.saveEntities('jug', [{ key: 'old', values: {} }], ANN);
      const options = (entityType: string) => ({ entityType, key: 'sku' });
      return {
        options: options('vase'),
        ...given(),
        content: () => content(),
        other: { options: options('jug'), content: () => content('jug') },
      };
    },
    row: (number) => ({ sku: `V-${number}`, material: 'glass', height: number }),
    changed: (number) => ({ sku: `V-${number}`, material: 'clay', height: number }),
    refused: (number) => ({ sku: `V-${number}`, material: 7 }),
    arrives: ({ sku, ...values }) => ({ key: sku, ...values }),
    once: true,
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());

  it('reads what databases and files have as values of the attributes', async () => {
    await prepare('brand', {});
    await prepare('vase', VASE);
    const saved = [
      { key: '7', values: {} },
      { key: 'b.8', values: {} },
    ];
    const [seven, eight] = await entities.saveEntities('brand', saved, ANN);
    const one = await sink({ label: 'title', attributes: Object.keys(VASE) });
    const { written } = await one.write(
      batch([
        {
          ...{ sku: 1, title: 'Ella', material: 'glass', height: '20.5', pieces: 12n, sold: 1 },
          ...{ sizes: '[1, 2]', brand: 7, shops: '["7", "b.8"]', updated_at: '2026-01-01' },
        },
        {
          ...{ sku: '2', title: '', material: '', height: '', pieces: null, sold: 'false' },
          ...{ sizes: { a: new Date(0) }, brand: '', shops: null },
        },
      ]),
    );
    expect(written).toEqual({ new: 2, updated: 0, redundant: 0, unpredictable: 0 });
    expect(await content()).toEqual([
      {
        ...{ key: '1', material: 'glass', height: 20.5, pieces: 12, sold: true, sizes: [1, 2] },
        ...{ brand: seven!.id, shops: [seven!.id, eight!.id] },
      },
      {
        ...{ key: '2', material: '', height: null, pieces: null, sold: false },
        ...{ sizes: { a: '1970-01-01T00:00:00.000Z' }, brand: null, shops: null },
      },
    ]);
    const { items } = await entities.entities('vase', { limit: 10 });
    expect(items.map(({ label }) => label)).toEqual(['Ella', null]);
    const history = await entities.history(
      { entityId: items[0]!.id, attribute: 'material' },
      { limit: 1 },
    );
    expect(history.items).toMatchObject([{ principal: 'flow test' }]);
  });

  it('lets the last of two rows with one key win, and removes what was removed', async () => {
    await prepare('vase', { material: {} });
    const one = await sink({ removed: 'gone' });
    const row = (sku: string, material: string, gone: unknown = null) => ({ sku, material, gone });
    await one.write(batch([row('a', 'x'), row('b', 'x'), row('c', 'x')]));
    const { written } = await one.write(
      batch([
        row('a', 'first'),
        row('b', 'unread', '2026-01-01'),
        row('d', 'gone at once', 1),
        row('a', 'last', '0'),
        row('e', 'back', true),
        row('e', 'back', false),
        row('c', 'x', ''),
      ]),
    );
    expect(written).toEqual({ new: 1, updated: 2, redundant: 4, unpredictable: 0 });
    expect(await content()).toEqual([
      { key: 'a', material: 'last' },
      { key: 'c', material: 'x' },
      { key: 'e', material: 'back' },
    ]);
  });

  it('refuses rows with the reason, all at once, and saves nothing of their batch', async () => {
    await prepare('brand', {});
    await prepare('vase', VASE);
    await prepare('jug', { litres: { editable: 'no' } });
    const one = await sink({});
    const unreadable = one.write(
      batch([
        { sku: 'a', material: 'glass' },
        { sku: ' ', material: 'glass' },
        { sku: 'c', materal: 'glass' },
        { sku: 'd', brand: 'nobody' },
        { sku: 'e', sizes: new Uint8Array(2) },
        { sku: 'f', shops: ['nobody'] },
        { sku: 'g', brand: new Uint8Array(2) },
      ]),
    );
    expect(await refusal(unreadable)).toEqual([
      { at: 1, reason: 'There is nothing in the column "sku", which is the key.' },
      {
        at: 2,
        reason:
          'There is no attribute "materal". Did you mean "material"? Name those columns that are values by `attributes`.',
      },
      { at: 3, reason: 'brand: there is no brand "nobody". Import it first.' },
      { at: 4, reason: 'sizes is made of bytes, which JSON does not have.' },
      { at: 5, reason: 'shops: there is no brand "nobody". Import it first.' },
      { at: 6, reason: 'brand is made of bytes, which JSON does not have.' },
    ]);
    const wrong = one.write(
      batch([
        { sku: 'a', material: 'glass' },
        { sku: 'b', material: 'glass', height: 'high', pieces: 1.5 },
        { sku: 'b', height: 'higher' },
      ]),
    );
    expect(await refusal(wrong)).toEqual([
      { at: 2, reason: 'height is a number, and was given a string: "higher"' },
    ]);
    expect(await content()).toEqual([]);
    const jug = await opened(entitiesSink, { entityType: 'jug', key: 'sku' }, given());
    expect(await refusal(jug.write(batch([{ sku: 'a', litres: 'b' }])))).toEqual([
      { at: 0, reason: 'litres cannot be edited: editable is no.' },
    ]);
  });

  it('takes batches of any size that a flow may have', async () => {
    await prepare('vase', { material: {} });
    const one = await sink({});
    const rows = Array.from({ length: 10_000 }, (_, at) => ({ sku: `V-${at}`, material: 'x' }));
    const { written } = await one.write(batch(rows));
    expect(written.new).toBe(10_000);
  });

  it('tells what is not there when it is opened', async () => {
    await expect(sink({})).rejects.toMatchObject({ type: 'UnknownEntityType' });
    await prepare('vase', { material: {} });
    await expect(sink({ attributes: ['materal'] })).rejects.toMatchObject({
      type: 'UnknownAttribute',
      message: 'There is no attribute "materal" of vase. Did you mean "material"?',
    });
  });
});

describe('the entities source', () => {
  const EXPORTED = {
    material: { isSync: 'to_external' },
    brand: { dataType: 'belongs_to', relatedType: 'brand', isSync: 'bidirectional' },
    shops: { dataType: 'belongs_to_multi', relatedType: 'brand', isSync: 'to_external' },
    note: {},
  };
  const options = { entityType: 'vase', key: 'sku' };
  const read = (more: JsonObject = {}, how: object = {}): Promise<readonly SourceBatch[]> =>
    batchesOf(entitiesSource, { ...options, ...more }, { ...given(), ...how });
  const save = (values: Readonly<Record<string, JsonObject>>) =>
    entities.saveEntities(
      'vase',
      Object.entries(values).map(([key, of]) => ({ key, values: of })),
      ANN,
    );
  const rows = (batches: readonly SourceBatch[]) => batches.flatMap((one) => one.rows);

  it('gives what is approved and not exported, until it was taken', async () => {
    await prepare('brand', {});
    await prepare('vase', EXPORTED);
    const [acme, nameless] = await entities.saveEntities(
      'brand',
      [
        { key: 'acme', values: {} },
        { key: null, values: {} },
      ],
      ANN,
    );
    await save({
      a: { material: 'glass', brand: acme!.id, note: 'n' },
      b: { material: 'clay', shops: [nameless!.id, acme!.id] },
      c: { note: 'nothing to tell' },
      d: { brand: nameless!.id },
    });
    const [first, second] = await read({}, { batchSize: 2 });
    expect(first!.rows).toEqual([
      { sku: 'a', material: 'glass', brand: 'acme' },
      { sku: 'b', material: 'clay', shops: ['acme'] },
    ]);
    expect(second!.rows).toEqual([{ sku: 'd', brand: null }]);
    const [a] = first!.rows;
    await first!.acknowledge!([a!]);
    expect(rows(await read()).map(({ sku }) => sku)).toEqual(['b', 'd']);
    const [, , d] = (await read({ attributes: ['brand', 'material'] }, { batchSize: 1 })).flatMap(
      (one) => [one, ...one.rows],
    );
    expect(d).toMatchObject({ rows: [{ sku: 'd', brand: null }] });
    await first!.acknowledge!(first!.rows);
    await second!.acknowledge!(second!.rows);
    expect(await read()).toEqual([]);
  });

  it('goes on behind a cursor, and begins anew at the end with what was not taken', async () => {
    await prepare('vase', { material: { isSync: 'to_external' } });
    await save({ a: { material: 'x' }, b: { material: 'x' }, c: { material: 'x' } });
    const [first, ...others] = await read({}, { batchSize: 2 });
    const rest = await read({}, { batchSize: 2, cursor: first!.cursor });
    expect(rest).toMatchObject(others.map((one) => ({ rows: one.rows, cursor: one.cursor })));
    const again = await read({}, { batchSize: 2, cursor: rest.at(-1)!.cursor });
    expect(rows(again)).toHaveLength(3);
    // Everything behind the cursor was taken meanwhile.
    await rest[0]!.acknowledge!(rest[0]!.rows);
    const [empty, ...none] = await read({}, { batchSize: 2, cursor: first!.cursor });
    expect(empty).toMatchObject({ rows: [] });
    expect(none).toEqual([]);
    expect(rows(await read({}, { cursor: empty!.cursor }))).toHaveLength(2);
  });

  it('has another cursor for other values, in each run, and the same for the same', async () => {
    await prepare('vase', { material: { isSync: 'to_external' } });
    await save({ a: { material: 'x' } });
    const cursor = async (from?: SourceBatch['cursor']) =>
      (await read({}, from === undefined ? {} : { cursor: from }))[0]!.cursor;
    const x = await cursor();
    expect(await cursor()).toEqual(x);
    await save({ a: { material: 'y' } });
    const y = await cursor();
    expect(y).not.toEqual(x);
    await save({ a: { material: 'x' } });
    expect(await cursor()).toEqual(x);
    expect(await cursor(y)).not.toEqual(x);
  });

  it('tells what is not there, and what is not exported', async () => {
    const error = (more: JsonObject = {}, how: object = {}) =>
      errorOf(entitiesSource, { ...options, ...more }, { ...given(), ...how });
    expect(await error()).toMatchObject({ type: 'UnknownEntityType' });
    await prepare('vase', { note: {} });
    expect(await error()).toMatchObject({
      type: 'NotExported',
      message: 'No attribute of vase is exported. Set is_sync to to_external or bidirectional.',
    });
    expect(await error({ attributes: ['note'] })).toMatchObject({
      message: 'note is not exported: is_sync is no. Set is_sync to to_external or bidirectional.',
    });
    expect(await error({ attributes: ['no'] })).toMatchObject({ type: 'UnknownAttribute' });
    await entities.addAttribute(
      'vase',
      { ...ATTRIBUTE_DEFAULTS, name: 'material', isSync: 'to_external' },
      ANN,
    );
    expect(await error({}, { cursor: { after: 4 } })).toMatchObject({ type: 'InvalidCursor' });
  });
});
