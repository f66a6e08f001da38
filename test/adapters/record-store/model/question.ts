import { expect } from '@jest/globals';
import type { BoxStore, BoxValues } from './box-store.js';
import { sorted, type Content } from './content.js';
import type { BoxCondition, Question } from './steps.js';

type BoxQuery = ReturnType<BoxStore['box']['limit']>;

/** Asks a store and a plain content the same, in every way in which a query gives its records. */
export function expectSameAnswer(store: BoxStore, content: Content, question: Question): void {
  const query = asked(store, question);
  const expected = answer(content, question);
  expect(query.pluck('id')).toEqual(expected);
  expect([...query].map(({ id }) => id)).toEqual(expected);
  expect(query.first()?.id).toBe(expected[0]);
  expect(query.count()).toBe(expected.length);
  expect(query.exists()).toBe(expected.length > 0);
  for (const id of expected.slice(0, 2)) expectSameLinks(store, content, id);
}

function expectSameLinks(store: BoxStore, content: Content, id: number): void {
  const box = store.box.find(id);
  const items = sorted(content.item).filter(([, { box_id }]) => box_id === id);
  expect(box.items.pluck('id')).toEqual(items.map(([item]) => item));
  expect(box.items.where({ done: true }).count()).toBe(items.filter(([, { done }]) => done).length);
  expect(box.items.first()?.box?.key).toBe(items.length === 0 ? undefined : box.key);
}

function asked(store: BoxStore, { conditions, order, limit, offset }: Question): BoxQuery {
  let query: BoxQuery = store.box;
  for (const condition of conditions) query = narrowed(query, condition);
  if (order !== undefined) query = query.order(order.by, order.direction);
  if (limit !== undefined) query = query.limit(limit);
  return offset === undefined ? query : query.offset(offset);
}

function narrowed(query: BoxQuery, condition: BoxCondition): BoxQuery {
  switch (condition.kind) {
    case 'state':
      return query.where({ state: condition.value });
    case 'plans':
      return query.where({ plan: condition.values });
    case 'heavier':
      return query.where({ weight: { gt: condition.than } });
    case 'note':
      return query.where({ note: condition.value });
    case 'otherNote':
      return query.where({ note: { not: condition.value } });
    case 'larger':
      return query.where({ size: { gte: condition.than } });
    case 'before':
      return query.where({ at: { lt: condition.at } });
    case 'sql':
      return query.where('weight % 3 = ?', condition.rest);
  }
}

function fulfils(box: BoxValues, condition: BoxCondition): boolean {
  switch (condition.kind) {
    case 'state':
      return box.state === condition.value;
    case 'plans':
      return condition.values.includes(box.plan);
    case 'heavier':
      return box.weight > condition.than;
    case 'note':
      return box.note === condition.value;
    case 'otherNote':
      // As in SQL, what is not known is not known to be other.
      return box.note !== null && box.note !== condition.value;
    case 'larger':
      return box.size >= condition.than;
    case 'before':
      return box.at !== undefined && box.at < condition.at;
    case 'sql':
      return box.weight % 3 === condition.rest;
  }
}

function answer(
  content: Content,
  { conditions, order, limit, offset }: Question,
): readonly number[] {
  const found = sorted(content.box).filter(([, box]) =>
    conditions.every((condition) => fulfils(box, condition)),
  );
  if (order !== undefined) {
    const { by, direction } = order;
    const sign = direction === 'asc' ? 1 : -1;
    found.sort(([, a], [, b]) => sign * (a[by] < b[by] ? -1 : a[by] > b[by] ? 1 : 0));
  }
  const from = offset ?? 0;
  return found.slice(from, limit === undefined ? undefined : from + limit).map(([id]) => id);
}
