import { describe, expect, it } from '@jest/globals';
import type { PublishedValue } from '../../../src/attribute-pipeline/entity-catalog.js';
import type { JsonObject } from '../../../src/definition/json.js';
import { ANN, later, withProducts, type OpenAttributes } from './open-attributes.js';

const SHOP = { principal: 'flow shop', now: later(60).now };
const IMPORT = { ...SHOP, isImport: true };

/** Values that come from another system and go back to it. */
export function testExports(open: OpenAttributes): void {
  const save = async (values: Readonly<Record<string, JsonObject>>, by = ANN) =>
    open.catalog.entities.saveEntities(
      'product',
      Object.entries(values).map(([key, of]) => ({ key, values: of })),
      by,
    );
  const unpublished = (names: readonly string[], limit = 10, after?: string) =>
    open.catalog.entities.unpublished('product', names, {
      limit,
      ...(after !== undefined && { after }),
    });
  const published = (
    items: readonly { readonly id: string; readonly values: JsonObject }[],
  ): readonly PublishedValue[] =>
    items.flatMap(({ id, values }) =>
      Object.entries(values).map(([attribute, value]) => ({ entityId: id, attribute, value })),
    );

  describe('values for another system', () => {
    it('are those that are approved and not live, page by page', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {
        text: { isSync: 'to_external' },
        size: { isSync: 'to_external', dataType: 'json' },
        secret: { isSync: 'to_external', needsApproval: 'yes' },
        note: {},
      });
      await save({
        a: { text: 'A', size: { w: 1, h: [2, null] } },
        b: { secret: 'b' },
        c: { text: null },
      });
      await entities.saveEntities('product', [{ key: null, values: { text: 'no key' } }], ANN);
      const first = await unpublished(['text', 'size', 'secret'], 1);
      expect(first.items).toMatchObject([
        { key: 'a', values: { text: 'A', size: { w: 1, h: [2, null] } } },
      ]);
      const rest = await unpublished(['text', 'size', 'secret'], 5, first.next);
      expect(rest.items).toMatchObject([{ key: 'c', values: { text: null } }]);
      expect(rest.next).toBeUndefined();
      await entities.publish('product', published([...first.items, ...rest.items]), SHOP);
      expect((await unpublished(['text', 'size', 'secret'])).items).toEqual([]);
      const [a] = first.items;
      const value = (await entities.entity(a!.id)).values['text'];
      expect(value).toMatchObject({ current: 'A', approved: 'A', live: 'A', version: 2 });
      const place = { entityId: a!.id, attribute: 'text' };
      const history = await entities.history(place, { limit: 1 });
      expect(history.items).toMatchObject([
        { change: 'published', value: 'A', principal: 'flow shop', at: SHOP.now },
      ]);
      expect((await unpublished([])).items).toEqual([]);
    });

    it('that change while they are exported are exported again', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { text: { isSync: 'bidirectional' } });
      await save({ a: { text: 'first' } });
      const { items } = await unpublished(['text']);
      await save({ a: { text: 'second' } });
      await entities.publish('product', published(items), SHOP);
      const again = await unpublished(['text']);
      expect(again.items).toMatchObject([{ key: 'a', values: { text: 'second' } }]);
      const { live } = (await entities.entity(again.items[0]!.id)).values['text']!;
      expect(live).toBe('first');
    });

    it('of entities and attributes that were removed meanwhile are passed over', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {
        text: { isSync: 'to_external' },
        size: { isSync: 'to_external' },
      });
      await save({ a: { text: 'a', size: 'x' }, b: { text: 'b' } });
      const { items } = await unpublished(['text', 'size']);
      await entities.removeAttribute('product', 'size');
      expect(await entities.removeEntities('product', ['a', 'nobody'])).toBe(1);
      await entities.publish('product', published(items), SHOP);
      const { items: left } = await entities.entities('product', { limit: 10 });
      expect(left).toMatchObject([{ key: 'b', values: { text: { live: 'b' } } }]);
    });

    it('that come from it count as exported', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {
        name: { isSync: 'bidirectional' },
        fetched: { isSync: 'from_external', editable: 'no' },
      });
      await save({ a: { name: 'Vase', fetched: 'f' } }, IMPORT);
      expect((await unpublished(['name'])).items).toEqual([]);
      await save({ a: { name: 'Big vase' } });
      const { items } = await unpublished(['name']);
      expect(items).toMatchObject([{ values: { name: 'Big vase' } }]);
      // The other system has taken it by itself.
      await save({ a: { name: 'Big vase' } }, IMPORT);
      expect((await unpublished(['name'])).items).toEqual([]);
      const { name, fetched } = (await entities.entity(items[0]!.id)).values;
      expect(name).toMatchObject({ current: 'Big vase', live: 'Big vase' });
      expect(fetched).toMatchObject({ current: 'f', live: undefined });
    });

    it('are refused for a type or an attribute that is not there', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { text: {} });
      await expect(unpublished(['txt'])).rejects.toThrow('There is no attribute of product "txt".');
      await expect(entities.unpublished('vase', [], { limit: 1 })).rejects.toThrow(/"vase"/);
      await expect(entities.publish('vase', [], SHOP)).rejects.toThrow(/"vase"/);
      await expect(entities.removeEntities('vase', [])).rejects.toThrow(/"vase"/);
    });
  });

  describe('entities', () => {
    it('are found by keys and keys by ids, without those that are not there', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {});
      const [a, b] = await save({ 'a.1': {}, b: {} });
      const ids = await entities.idsByKey('product', ['b', 'a.1', 'c']);
      expect(Object.fromEntries(ids)).toEqual({ 'a.1': a!.id, b: b!.id });
      const keys = await entities.keysById([a!.id, 'nobody']);
      expect(Object.fromEntries(keys)).toEqual({ [a!.id]: 'a.1' });
      expect((await entities.idsByKey('vase', ['b'])).size).toBe(0);
      expect(await entities.typesOf([a!.id, b!.id, 'nobody'])).toEqual(['product']);
    });
  });
}
