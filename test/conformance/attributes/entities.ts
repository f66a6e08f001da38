import { describe, expect, it } from '@jest/globals';
import { ATTRIBUTE_DEFAULTS } from '../../../src/attribute-pipeline/attribute.js';
import type { EntityFilter } from '../../../src/attribute-pipeline/entity-filter.js';
import type { JsonObject } from '../../../src/definition/json.js';
import { ANN, later, withProducts, type OpenAttributes } from './open-attributes.js';

const keyed = (values: Readonly<Record<string, JsonObject>>) =>
  Object.entries(values).map(([key, of]) => ({ key, values: of }));

/** Entity types, attributes and entities. */
export function testEntities(open: OpenAttributes): void {
  describe('entity types and attributes', () => {
    it('are added, listed by their names, edited and removed', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { size: { dataType: 'integer' }, name: {} });
      await entities.addEntityType({ name: 'company', label: null, description: null }, ANN);
      const first = await entities.entityTypes({ limit: 1 });
      expect(first).toMatchObject({
        items: [{ name: 'company', lockVersion: 1 }],
        next: 'company',
      });
      const rest = await entities.entityTypes({ limit: 1, after: 'company' });
      expect(rest).toMatchObject({ items: [{ name: 'product', label: 'Product' }] });
      expect(rest.next).toBeUndefined();
      const edited = await entities.changeEntityType('product', { label: 'Wares' }, 1, later(1));
      expect(edited).toMatchObject({ label: 'Wares', lockVersion: 2, updatedAt: later(1).now });
      expect(edited.updatedBy).toBe(ANN.principal);
      const attributes = await entities.attributes('product');
      expect(attributes.map(({ name }) => name)).toEqual(['name', 'size']);
      await entities.removeAttribute('product', 'size');
      await expect(entities.attribute('product', 'size')).rejects.toMatchObject({
        name: 'NotFound',
      });
      await expect(entities.removeEntityType('product')).rejects.toThrow(
        /attribute name of product/,
      );
      await entities.removeAttribute('product', 'name');
      await entities.removeEntityType('product');
      await expect(entities.entityType('product')).rejects.toThrow(
        'There is no entity type "product".',
      );
    });

    it('are refused with a name that is none or taken, and with what cannot be together', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { size: {} });
      const add = (name: string, settings: object) =>
        entities.addAttribute('product', { ...ATTRIBUTE_DEFAULTS, ...settings, name }, ANN);
      await expect(add('Size', {})).rejects.toThrow(/"Size" cannot be a name/);
      await expect(add('size', {})).rejects.toMatchObject({ name: 'NameTaken' });
      await expect(add('kind', { dataType: 'select' })).rejects.toThrow(/needs allowed_values/);
      await expect(add('kind', { allowedValues: ['a'] })).rejects.toThrow(/Only select/);
      await expect(add('of', { dataType: 'belongs_to' })).rejects.toThrow(/needs related_type/);
      await expect(add('of', { dataType: 'belongs_to', relatedType: 'firm' })).rejects.toThrow(
        'There is no entity type "firm".',
      );
      await expect(add('price', { isSync: 'from_external' })).rejects.toThrow(/Set editable to/);
      const again = { name: 'product', label: null, description: null };
      await expect(entities.addEntityType(again, ANN)).rejects.toMatchObject({ name: 'NameTaken' });
      expect(await entities.attributes('product')).toHaveLength(1);
    });

    it('tell who edits what was edited meanwhile', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { size: {} });
      const other = (await open.another()).entities;
      const edits = await Promise.allSettled([
        entities.changeAttribute('product', 'size', { label: 'Size' }, 1, ANN),
        other.changeAttribute('product', 'size', { label: 'Extent' }, 1, ANN),
      ]);
      expect(edits.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(edits.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { name: 'EditConflict', yours: 1, current: 2 },
      });
      await expect(entities.changeEntityType('product', {}, 7, ANN)).rejects.toMatchObject({
        name: 'EditConflict',
      });
    });
  });

  describe('entities', () => {
    it('are added, found again by their keys, and listed with their values', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { name: {}, size: { dataType: 'integer' } });
      const saved = await entities.saveEntities(
        'product',
        [
          { key: 'a', label: 'A', values: { name: 'Äpfel', size: 3 } },
          { key: null, values: { name: null } },
        ],
        ANN,
      );
      expect(saved).toMatchObject([
        { isNew: true, changed: ['name', 'size'] },
        { isNew: true, changed: ['name'] },
      ]);
      const again = await entities.saveEntities(
        'product',
        [{ key: 'a', values: { name: 'Äpfel', size: 4 } }],
        later(5),
      );
      expect(again).toEqual([{ id: saved[0]?.id, isNew: false, changed: ['size'] }]);
      const entity = await entities.entity(saved[0]!.id);
      expect(entity).toMatchObject({
        entityType: 'product',
        key: 'a',
        label: 'A',
        createdAt: ANN.now,
        updatedAt: later(5).now,
        values: {
          name: { current: 'Äpfel', approved: 'Äpfel', version: 1, awaitsApproval: false },
          size: { current: 4, approved: 4, version: 2 },
        },
      });
      const page = await entities.entities('product', { limit: 1 });
      const rest = await entities.entities('product', { limit: 5, after: page.next! });
      expect([...page.items, ...rest.items].map(({ id }) => id)).toEqual(saved.map(({ id }) => id));
      expect(rest.items[0]?.values).toMatchObject({ name: { current: null } });
      await entities.removeEntity(saved[0]!.id);
      await expect(entities.removeEntity(saved[0]!.id)).rejects.toMatchObject({ name: 'NotFound' });
      expect(await entities.countEntities('product')).toBe(1);
    });

    it('are named by their ids, or by type and key', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {});
      await entities.addEntityType({ name: 'company', label: null, description: null }, ANN);
      const saved = await entities.saveEntities('product', keyed({ a: {}, 'b.1/ö': {} }), ANN);
      const [other] = await entities.saveEntities('company', keyed({ a: {} }), ANN);
      const [a = '', b = ''] = saved.map(({ id }) => id);
      expect(
        await entities.entityIds(['product.b.1/ö', a, 'company.a', 'product.a', 'product.a']),
      ).toEqual([b, a, other?.id, a, a]);
      expect(await entities.entityIds([])).toEqual([]);
      for (const name of ['product.c', 'firm.a', 'company.b.1/ö', 'product.'])
        await expect(entities.entityIds([a, name])).rejects.toThrow(
          `There is no entity "${name}".`,
        );
    });

    it('are all kept or none, and all that is wrong is told at once', async () => {
      const { entities } = open.catalog;
      await entities.addEntityType({ name: 'firm', label: null, description: null }, ANN);
      await withProducts(open.catalog, {
        size: { dataType: 'integer' },
        of: { dataType: 'belongs_to', relatedType: 'firm' },
        score: { editable: 'no' },
        note: { editable: 'overridable' },
      });
      const problems = [
        { key: 'a', values: { size: 'large', colour: 'red' } },
        { key: 'b', values: { score: 'x', note: 'x' } },
        { key: 'a', values: {} },
        { key: 'c', values: { size: 1 } },
      ];
      await expect(entities.saveEntities('product', problems, ANN)).rejects.toMatchObject({
        name: 'InvalidValues',
        problems: [
          {
            index: 0,
            entity: 'a',
            attribute: 'size',
            message: expect.stringMatching(/whole number/),
          },
          { index: 0, attribute: 'colour', message: 'There is no attribute "colour".' },
          { index: 1, attribute: 'score', message: expect.stringMatching(/editable is no/) },
          { index: 1, attribute: 'note', message: expect.stringMatching(/Override it instead/) },
          { index: 2, attribute: null, message: expect.stringMatching(/"a" is that of entity 0/) },
        ],
      });
      const astray = [{ key: 'd', values: { of: '01NOBODY' } }];
      await expect(entities.saveEntities('product', astray, ANN)).rejects.toThrow(
        /there is no firm "01NOBODY"/,
      );
      await expect(
        entities.saveEntities('product', [{ key: 'e', values: { size: 1, of: 'a\0b' } }], ANN),
      ).rejects.toThrow(/no database keeps/);
      expect(await entities.countEntities('product')).toBe(0);
    });

    it('are one where two save the same key at once, and lose no change', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { one: {}, two: {} });
      const other = (await open.another()).entities;
      const keys = Array.from({ length: 40 }, (_, n) => `k${String(n)}`);
      const save = (of: typeof entities, names: readonly string[], attribute: string) =>
        of.saveEntities(
          'product',
          names.map((key) => ({ key, values: { [attribute]: key } })),
          ANN,
        );
      await Promise.all([
        save(entities, keys, 'one'),
        save(other, [...keys].reverse(), 'two'),
        save(entities, keys.slice(10), 'two'),
        save(other, keys.slice(0, 30), 'one'),
      ]);
      const { items } = await entities.entities('product', { limit: 100 });
      expect(items).toHaveLength(40);
      for (const { key, values } of items)
        expect(values).toMatchObject({ one: { current: key }, two: { current: key } });
    });
  });

  describe('filters', () => {
    const PRODUCTS = {
      ten: { size: 10, name: 'Ten', fine: true, kind: 'b', tags: ['x', 'y'] },
      nine: { size: 9, name: 'nine %_', fine: false, kind: 'a', tags: ['y'] },
      half: { size: 0.5, name: 'Ä', fine: true, kind: null, tags: [] },
      none: {},
      nil: { size: null, name: null, fine: null, tags: null },
    };
    const found: readonly (readonly [EntityFilter, readonly string[]])[] = [
      [[{ attribute: 'size', operator: '>', value: 9 }], ['ten']],
      [[{ attribute: 'size', operator: '>=', value: 9 }], ['ten', 'nine']],
      [[{ attribute: 'size', operator: '<', value: 9 }], ['half']],
      [[{ attribute: 'size', operator: '<=', value: 9 }], ['nine', 'half']],
      [[{ attribute: 'size', operator: '=', value: 10 }], ['ten']],
      [[{ attribute: 'size', operator: '!=', value: 10 }], ['nine', 'half', 'none', 'nil']],
      [[{ attribute: 'size', operator: 'in', value: [9, 10] }], ['ten', 'nine']],
      [[{ attribute: 'size', operator: 'in', value: [] }], []],
      [[{ attribute: 'size', operator: 'not_in', value: [9, 10] }], ['half', 'none', 'nil']],
      [[{ attribute: 'size', operator: 'null' }], ['none', 'nil']],
      [[{ attribute: 'size', operator: 'not_null' }], ['ten', 'nine', 'half']],
      // By code points: capital letters first, letters with marks last.
      [[{ attribute: 'name', operator: '>', value: 'Z' }], ['nine', 'half']],
      [[{ attribute: 'name', operator: 'contains', value: '%_' }], ['nine']],
      [[{ attribute: 'name', operator: 'contains', value: 'N' }], []],
      [[{ attribute: 'fine', operator: '=', value: true }], ['ten', 'half']],
      [[{ attribute: 'fine', operator: '!=', value: true }], ['nine', 'none', 'nil']],
      [[{ attribute: 'kind', operator: '<', value: 'b' }], ['nine']],
      [[{ attribute: 'kind', operator: 'null' }], ['half', 'none', 'nil']],
      [[{ attribute: 'tags', operator: 'contains', value: 'x' }], ['ten']],
      [[{ attribute: 'tags', operator: 'not_null' }], ['ten', 'nine', 'half']],
      [
        [
          { attribute: 'tags', operator: 'contains', value: 'y' },
          { attribute: 'size', operator: '<', value: 10 },
        ],
        ['nine'],
      ],
      [[], ['ten', 'nine', 'half', 'none', 'nil']],
    ];

    it('compare values by their types, also those that are not there', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {
        size: { dataType: 'number' },
        name: {},
        fine: { dataType: 'boolean' },
        kind: { dataType: 'select', allowedValues: ['a', 'b'] },
        tags: { dataType: 'multiselect', allowedValues: ['x', 'y'] },
      });
      await entities.saveEntities('product', keyed(PRODUCTS), ANN);
      for (const [filter, keys] of found) {
        const { items } = await entities.entities('product', { filter, limit: 10 });
        expect([filter, items.map(({ key }) => key)]).toEqual([filter, keys]);
        expect(await entities.countEntities('product', filter)).toBe(keys.length);
      }
    });

    it.each([
      [{ attribute: 'size', operator: '>', value: 'x' }, /size is a number/],
      [{ attribute: 'colour', operator: 'null' }, /no attribute "colour"/],
      [{ attribute: 'size', operator: 'contains', value: '1' }, /contains nothing/],
      [{ attribute: 'fine', operator: '<', value: true }, /has no order/],
      [{ attribute: 'size', operator: '=' }, /needs a value/],
      [{ attribute: 'size', operator: 'null', value: 1 }, /takes no value/],
      [{ attribute: 'size', operator: 'in', value: 1 }, /takes a list/],
      [{ attribute: 'size', operator: '> 0 or 1', value: 1 }, /There is no operator/],
      [{ attribute: 'tags', operator: '=', value: ['x'] }, /Use contains/],
    ])('are refused where they make no sense: %j', async (condition, message) => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {
        size: { dataType: 'number' },
        fine: { dataType: 'boolean' },
        tags: { dataType: 'multiselect', allowedValues: ['x', 'y'] },
      });
      const filter = [condition] as EntityFilter;
      const asked = entities.entities('product', { filter, limit: 1 });
      await expect(asked).rejects.toMatchObject({ name: 'InvalidFilter', index: 0 });
      await expect(asked).rejects.toThrow(message);
    });
  });
}
