import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import type { Conditions } from '../../../src/record-store/condition.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { blogIn } from './blog-store.js';

describe('queries of a record store', () => {
  const folder = useTemporaryDirectory();

  function people() {
    const store = blogIn(folder.path);
    for (const [name, age] of [
      ['Ann', 17],
      ['Bea', 30],
      ['Cid', null],
      ["D'or", 64],
    ] as const)
      store.author.create({ name, age });
    return store;
  }

  it('takes conditions by column, with values, lists, null and operators', () => {
    const store = people();
    const names = (
      conditions: Conditions<{ readonly name: z.ZodString; readonly age: z.ZodNullable<z.ZodInt> }>,
    ): readonly string[] => store.author.where(conditions).pluck('name');
    expect(names({ age: 30 })).toEqual(['Bea']);
    expect(names({ age: null })).toEqual(['Cid']);
    expect(names({ name: ['Ann', "D'or"] })).toEqual(['Ann', "D'or"]);
    expect(names({ name: [] })).toEqual([]);
    expect(names({ age: { gte: 18 } })).toEqual(['Bea', "D'or"]);
    expect(names({ age: { gt: 17, lt: 64 } })).toEqual(['Bea']);
    expect(names({ name: { like: '%i%' } })).toEqual(['Cid']);
    expect(names({ name: { not: ['Ann', 'Bea'] } })).toEqual(['Cid', "D'or"]);
    expect(names({ age: { not: null } })).toEqual(['Ann', 'Bea', "D'or"]);
    expect(names({ id: { in: [1, 2] }, age: { lte: 17 } })).toEqual(['Ann']);
    store.close();
  });

  it('takes SQL with bound values, and each call narrows it down', () => {
    const store = people();
    expect(store.author.where('id % 2 = 0').pluck('id')).toEqual([2, 4]);
    expect(store.author.where('age >= ?', 18).where("name <> 'Bea?'").count()).toBe(2);
    const adults = store.author.where('age >= ? or age is null', 18);
    expect(adults.where({ name: 'Ann' }).count()).toBe(0);
    expect(adults.order('name', 'desc').limit(2).pluck('name')).toEqual(["D'or", 'Cid']);
    expect(adults.order('age').offset(1).first()?.name).toBe('Bea');
    expect(adults.limit(2).count()).toBe(2);
    expect([...adults].map(({ name }) => name)).toEqual(['Bea', 'Cid', "D'or"]);
    store.close();
  });

  it('keeps values out of the text: what looks like SQL is a value', () => {
    const store = people();
    expect(store.author.where({ name: "x' or '1' = '1" }).count()).toBe(0);
    expect(store.author.where('name = ?', "x' or '1' = '1").count()).toBe(0);
    store.close();
  });

  it('looks for JSON as a whole', () => {
    const store = people();
    store.post.create({ title: 'a', author_id: 1, tags: ['x'] });
    expect(
      store.post.where('exists (select 1 from json_each(tags) where value = ?)', 'x').count(),
    ).toBe(1);
    store.close();
  });

  it('says what is wrong with a condition', () => {
    const store = people();
    expect(() => store.author.where({ age: undefined as unknown as number })).toThrow(
      'The condition on age is undefined. Say null for records without a value, or leave it out.',
    );
    // @ts-expect-error -- there is no such operator
    expect(() => store.author.where({ age: { bigger: 3 } })).toThrow(
      'The condition on age has the operator "bigger". There are: eq, not, gt, gte, lt, lte, like, in.',
    );
    // @ts-expect-error -- there is no such column
    expect(() => store.author.where({ agee: 3 }).all()).toThrow(
      'author has no column "agee". It has: id, name, age.',
    );
    expect(() => store.author.where('age = ? and name = ?', 3).all()).toThrow(
      'The condition "age = ? and name = ?" has 2 "?" and 1 values: it takes one for each.',
    );
    expect(() => store.author.limit(-1)).toThrow('limit takes a whole number from 0 on, not -1.');
    store.close();
  });
});
