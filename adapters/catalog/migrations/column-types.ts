import { sql, type ColumnDataType } from 'kysely';
import type { Dialect } from '../database.js';

/** The types of columns that differ between the databases; see values.ts for what is in them. */
export interface ColumnTypes {
  readonly time: ColumnDataType;
  readonly flag: ColumnDataType;
  readonly json: ColumnDataType;
  readonly count: ColumnDataType;
  readonly real: ColumnDataType;
  /** A flag that is set, in an index's condition. */
  readonly true: ReturnType<typeof sql>;
  /** What a table ends with. */
  readonly tableEnd: ReturnType<typeof sql>;
}

/** The column types of a database. Migrations that are released build on them: they only grow. */
export function columnTypes(kind: Dialect['kind']): ColumnTypes {
  switch (kind) {
    case 'sqlite':
      return {
        time: 'text',
        flag: 'integer',
        json: 'text',
        count: 'integer',
        real: 'real',
        true: sql`1`,
        tableEnd: sql`strict`,
      };
    case 'postgres':
      return {
        time: 'timestamptz(3)',
        flag: 'boolean',
        json: 'json',
        count: 'bigint',
        real: 'double precision',
        true: sql`true`,
        tableEnd: sql``,
      };
  }
}
