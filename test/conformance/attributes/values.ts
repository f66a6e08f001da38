import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../../src/definition/json.js';
import { ANN, later, withProducts, type OpenAttributes } from './open-attributes.js';

const BOB = { principal: 'bob', now: later(60).now };

/** Values that people change. */
export function testValues(open: OpenAttributes): void {
  const add = async (values: Readonly<Record<string, string>>): Promise<string> => {
    const { entities } = open.catalog;
    const [saved] = await entities.saveEntities('product', [{ key: 'a', values }], ANN);
    return saved!.id;
  };

  describe('values', () => {
    it('are edited, overridden, approved and published, and all of it is kept', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {
        name: { needsApproval: 'yes', isSync: 'to_external' },
        note: { editable: 'overridable', isSync: 'from_external' },
      });
      const entityId = await add({ name: 'One' });
      const name = { entityId, attribute: 'name' };
      expect((await entities.entity(entityId)).values.name).toMatchObject({
        current: 'One',
        approved: undefined,
        awaitsApproval: true,
      });
      const approved = await entities.changeValue(name, { kind: 'approved' }, 1, BOB);
      expect(approved).toMatchObject({ approved: 'One', awaitsApproval: false, version: 2 });
      const published = await entities.changeValue(name, { kind: 'published' }, 2, BOB);
      expect(published).toMatchObject({ live: 'One', version: 3 });
      const edit = { kind: 'edited', value: 'Two' } as const;
      await entities.changeValue(name, edit, undefined, BOB);
      const history = await entities.history(name, { limit: 3 });
      expect(history.items).toMatchObject([
        { version: 4, change: 'edited', value: 'Two', principal: 'bob', at: BOB.now },
        { version: 3, change: 'published', value: 'One' },
        { version: 2, change: 'approved', value: 'One', principal: 'bob' },
      ]);
      const earlier = await entities.history(name, { limit: 3, after: history.next! });
      expect(earlier).toMatchObject({
        items: [{ version: 1, change: 'edited', principal: 'ann' }],
      });
      expect(earlier.next).toBeUndefined();

      const note = { entityId, attribute: 'note' };
      const imported = [{ key: 'a', values: { note: 'theirs' } }];
      await entities.saveEntities('product', imported, { ...ANN, isImport: true });
      const override = { kind: 'overridden', value: 'ours' } as const;
      expect(await entities.changeValue(note, override, undefined, BOB)).toMatchObject({
        current: 'theirs',
        override: 'ours',
        approved: 'ours',
      });
      const [removed] = await entities.changeValues([note, note], 'override_removed', BOB);
      expect(removed).toMatchObject({ override: undefined, approved: 'theirs' });
      const kept = await entities.history(note, { limit: 1 });
      expect(kept.items).toMatchObject([{ change: 'override_removed', value: undefined }]);
    });

    it('are not changed in ways that their attributes do not allow', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { name: {}, size: { dataType: 'integer' } });
      const entityId = await add({ name: 'One' });
      const name = { entityId, attribute: 'name' };
      const size = { entityId, attribute: 'size' };
      const change: typeof entities.changeValue = (...args) => entities.changeValue(...args);
      await expect(
        change(name, { kind: 'overridden', value: 'x' }, undefined, BOB),
      ).rejects.toThrow(/cannot be overridden: editable is yes/);
      await expect(change(size, { kind: 'edited', value: 1.5 }, undefined, BOB)).rejects.toThrow(
        /whole number/,
      );
      await expect(change(name, { kind: 'published' }, undefined, BOB)).rejects.toThrow(
        /is not exported/,
      );
      await expect(entities.changeValues([name, size], 'approved', BOB)).rejects.toMatchObject({
        name: 'InvalidValues',
        problems: [{ index: 1, entity: entityId, attribute: 'size' }],
      });
      const nowhere = { entityId: '01NOBODY', attribute: 'name' };
      await expect(change(nowhere, { kind: 'approved' }, undefined, BOB)).rejects.toThrow(
        'There is no entity "01NOBODY".',
      );
      expect((await entities.entity(entityId)).values).toMatchObject({ name: { version: 1 } });
    });

    it('are entities that are there, where an entity belongs to others', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, {
        of: { dataType: 'belongs_to', relatedType: 'product', editable: 'overridable' },
        like: { dataType: 'belongs_to_multi', relatedType: 'product' },
      });
      const entityId = await add({});
      const change = (attribute: string, kind: 'edited' | 'overridden', value: Json) =>
        entities.changeValue({ entityId, attribute }, { kind, value }, undefined, BOB);
      await expect(change('of', 'overridden', '01NOBODY')).rejects.toThrow(
        'of: there is no product "01NOBODY".',
      );
      await expect(change('like', 'edited', [entityId, '01NOBODY'])).rejects.toThrow(
        'like: there is no product "01NOBODY".',
      );
      await change('of', 'overridden', entityId);
      await change('of', 'overridden', null);
      expect((await change('like', 'edited', [entityId])).current).toEqual([entityId]);
    });

    it('tell who changes what was changed meanwhile', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { name: {} });
      const entityId = await add({ name: 'One' });
      const name = { entityId, attribute: 'name' };
      const other = (await open.another()).entities;
      const changes = await Promise.allSettled(
        [entities, other, entities, other].map((of, n) =>
          of.changeValue(name, { kind: 'edited', value: String(n) }, 1, BOB),
        ),
      );
      const refused = changes.filter(({ status }) => status === 'rejected');
      expect(refused).toHaveLength(3);
      expect(refused[0]).toMatchObject({ reason: { name: 'EditConflict', yours: 1, current: 2 } });
      expect((await entities.history(name, { limit: 10 })).items).toHaveLength(2);
    });

    it('that wait for an approval are a queue, longest first', async () => {
      const { entities } = open.catalog;
      await withProducts(open.catalog, { name: { needsApproval: 'yes' }, note: {} });
      const keys = ['a', 'b', 'c'];
      for (const [n, key] of keys.entries())
        await entities.saveEntities(
          'product',
          [{ key, values: { name: key, note: key } }],
          later(n),
        );
      const first = await entities.awaitingApproval({}, { limit: 2 });
      expect(first.items).toMatchObject([
        { entity: { key: 'a' }, attribute: 'name', value: { current: 'a' }, updatedAt: ANN.now },
        { entity: { key: 'b', entityType: 'product' } },
      ]);
      const of = { entityType: 'product', attribute: 'name' };
      const rest = await entities.awaitingApproval(of, { limit: 2, after: first.next! });
      expect(rest.items.map(({ entity }) => entity.key)).toEqual(['c']);
      expect(rest.next).toBeUndefined();
      const places = first.items.map(({ entity, attribute }) => ({
        entityId: entity.id,
        attribute,
      }));
      await entities.changeValues(places, 'approved', BOB);
      const left = await entities.awaitingApproval({}, { limit: 10 });
      expect(left.items.map(({ entity }) => entity.key)).toEqual(['c']);
      expect((await entities.awaitingApproval({ attribute: 'note' }, { limit: 1 })).items).toEqual(
        [],
      );
    });
  });
}
