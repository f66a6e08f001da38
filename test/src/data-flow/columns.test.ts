import { describe, expect, it } from '@jest/globals';
import { columns } from '../../../src/data-flow/built-in/columns.js';
import type { Row } from '../../../src/data-flow/row.js';

type Columns = Parameters<typeof columns>[0];

function converted(row: Row, written: NonNullable<Columns>['columns']): unknown {
  const options = columns.options?.parse({ columns: written });
  return (columns.run as unknown as (context: unknown) => unknown)({ row, options });
}

describe('the transform "columns"', () => {
  it('chooses, renames and converts what a file has as texts', () => {
    const row = {
      ID: ' 7 ',
      Amount: '12.50',
      open: 'Yes',
      'Order date': '2026-03-01',
      tags: '["a"]',
      other: 'x',
    };
    expect(
      converted(row, {
        id: { from: 'ID', type: 'integer' },
        amount: { from: 'Amount', type: 'number' },
        open: 'boolean',
        ordered_at: { from: 'Order date', type: 'date' },
        tags: 'json',
      }),
    ).toEqual({
      id: 7,
      amount: 12.5,
      open: true,
      ordered_at: '2026-03-01T00:00:00.000Z',
      tags: ['a'],
    });
  });

  it('takes what is empty for null where that is allowed, and refuses it elsewhere', () => {
    expect(
      converted(
        { a: '', b: null },
        { a: { optional: true }, b: { optional: true }, c: { optional: true } },
      ),
    ).toEqual({
      a: null,
      b: null,
      c: null,
    });
    expect(() => converted({ a: ' ' }, { a: 'text' })).toThrow('column "a" is empty');
  });

  it.each([
    ['integer', '1.5'],
    ['integer', '9007199254740993'],
    ['number', 'twelve'],
    ['number', 'Infinity'],
    ['boolean', 'perhaps'],
    ['date', 'yesterday'],
    ['json', '{'],
  ] as const)('refuses what is no %s: %s', (type, value) => {
    expect(() => converted({ a: value }, { a: type })).toThrow(
      `column "a" is "${value}", which is no ${type}`,
    );
  });

  it('leaves values that have a type already', () => {
    expect(
      converted({ a: 3, b: true, c: { d: 1 } }, { a: 'text', b: 'boolean', c: 'json' }),
    ).toEqual({
      a: '3',
      b: true,
      c: { d: 1 },
    });
  });
});
