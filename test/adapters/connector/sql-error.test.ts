import { describe, expect, it } from '@jest/globals';
import { rowFault } from '../../../adapters/connector/sql/sql-error.js';

function failure(code: string, more: object = {}): Error {
  return Object.assign(new Error('said the database'), { code, ...more });
}

describe('an error of a database', () => {
  it.each([
    'SQLITE_CONSTRAINT',
    'SQLITE_CONSTRAINT_NOTNULL',
    'SQLITE_CONSTRAINT_DATATYPE',
    'SQLITE_MISMATCH',
    'SQLITE_TOOBIG',
    '22001',
    '22021',
    '22P05',
    '23502',
    '23P01',
    '44000',
  ])('is the fault of a row: %s', (code) => {
    expect(rowFault(failure(code))).toEqual({ reason: 'said the database', code });
  });

  it.each([
    ...['SQLITE_ERROR', 'SQLITE_FULL', 'SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_IOERR_WRITE'],
    ...['SQLITE_READONLY', 'SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_CANTOPEN', 'SQLITE_AUTH'],
    // Connection, transaction, permission, table, column, disk, memory, shutdown, what a trigger raises.
    ...['08006', '25006', '40001', '40P01', '42501', '42P01', '42703', '53100', '53200', '57P01'],
    ...['57014', '55P03', '0A000', '21000', '54000', 'P0001', 'XX000'],
    ...['ECONNREFUSED', 'ECONNRESET', 'ERR_INVALID_ARG_TYPE', '22', ''],
  ])('is no fault of a row: %s', (code) => {
    expect(rowFault(failure(code))).toBeUndefined();
  });

  it('is none of any kind without a code', () => {
    for (const error of [new Error('x'), new TypeError('x'), undefined, null, 'x', { code: 7 }])
      expect(rowFault(error)).toBeUndefined();
  });

  it('is told with its detail, unless that is the whole row', () => {
    const detail = 'Key (email)=(x) already exists.';
    expect(rowFault(failure('23505', { detail }))?.reason).toBe(`said the database. ${detail}`);
    expect(rowFault(failure('23514', { detail }))?.reason).toBe('said the database');
  });
});
