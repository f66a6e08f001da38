import { describe, expect, it } from '@jest/globals';
import {
  keysetAfter,
  keysetCursors,
  type KeysetOrigin,
} from '../../../adapters/connector/sql/keyset-cursor.js';
import { mainTable } from '../../../adapters/connector/sql/main-table.js';

const ORDERS: KeysetOrigin = {
  database: 'postgres://ann:old@db.example.com/shop',
  table: 'orders',
  query: undefined,
  cursorColumns: ['day', 'id'],
};

const ofOrders = keysetCursors(ORDERS)(['2026-01-01', 7]);

function going(change: Partial<KeysetOrigin>): unknown {
  try {
    return keysetAfter(ofOrders, { ...ORDERS, ...change }, 'import-orders');
  } catch (error) {
    return error;
  }
}

function query(text: string): Partial<KeysetOrigin> {
  return { table: undefined, query: text };
}

describe('a cursor along columns', () => {
  it.each<[string, Partial<KeysetOrigin>]>([
    ['the same table', {}],
    [
      'another password',
      { database: 'postgresql://bob:new@db.example.com:5432/shop?sslmode=require' },
    ],
    ['a query of the table', query('SELECT day, id FROM orders WHERE amount > 5')],
    ['the query with another condition', query('select * from "orders" where amount > 50')],
  ])('goes on with %s', (_what, change) => {
    expect(going(change)).toEqual(['2026-01-01', 7]);
  });

  it.each<[string, Partial<KeysetOrigin>]>([
    ['another table', { table: 'customers' }],
    ['a query of another table', query('SELECT * FROM customers')],
    ['another database', { database: 'postgres://ann:old@db.example.com/test' }],
    ['another host', { database: 'postgres://ann:old@localhost/shop' }],
    ['another kind of database', { database: 'sqlite:shop' }],
    ['other columns', { cursorColumns: ['day', 'number'] }],
    ['the columns in another order', { cursorColumns: ['id', 'day'] }],
    ['fewer columns', { cursorColumns: ['day'] }],
  ])('is refused with %s, and told how to go on', (_what, change) => {
    expect(going(change)).toMatchObject({
      type: 'InvalidCursor',
      message: expect.stringContaining('millrace flows reset import-orders'),
    });
  });

  it('that a person has written needs the values alone, all of them', () => {
    expect(keysetAfter({ after: ['2026-01-01', 7] }, ORDERS, 'f')).toEqual(['2026-01-01', 7]);
    for (const wrong of [{ after: [7] }, { after: ['2026-01-01', null] }, { day: 7 }, 7, 'x'])
      expect(() => keysetAfter(wrong, ORDERS, 'f')).toThrow(
        `millrace flows reset f --cursor '{"after":["<day>","<id>"]}'`,
      );
  });

  it('knows a SQLite file by what is written, as its folder is another one after each deploy', () => {
    const at = (database: string): KeysetOrigin => ({ ...ORDERS, database });
    const cursor = keysetCursors(at('sqlite:data/shop.db'))(['2026-01-01', 7]);
    expect(keysetAfter(cursor, at('sqlite:./data/shop.db'), 'f')).toEqual(['2026-01-01', 7]);
    expect(() => keysetAfter(cursor, at('sqlite:test/shop.db'), 'f')).toThrow('another table');
  });
});

describe('the table that a query reads first', () => {
  it.each([
    ['SELECT * FROM orders WHERE id > 5', 'orders'],
    ['select a from Sales."Orders" as o join customers c on true', 'sales.orders'],
    ['SELECT * FROM (SELECT * FROM orders) AS q', 'orders'],
    ['WITH big AS (SELECT * FROM orders) SELECT * FROM big', 'orders'],
    ["SELECT ' FROM x' AS t, -- from y\n /* from z */ id FROM ONLY orders", 'orders'],
    ['SELECT extract(year FROM day), a IS DISTINCT FROM b AS n FROM orders', 'orders'],
    ['SELECT id FROM `orders`', 'orders'],
    ['SELECT id FROM [orders]', 'orders'],
    ['SELECT id FROM bestellungen_größe', 'bestellungen_größe'],
    ['VALUES (1)', undefined],
  ])('of %s is %s', (text, table) => {
    expect(mainTable(text)).toBe(table);
  });
});
