import {
  DummyDriver,
  Kysely,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type RawBuilder,
} from 'kysely';
import { storedValue, type StoredValue } from '../../src/record-store/column.js';
import type { Condition } from '../../src/record-store/condition.js';
import { InvalidQuery } from '../../src/record-store/errors.js';
import type { RecordModel } from './record-model.js';

/** What is asked for: which records of a table, in which order. */
export interface Selection {
  readonly conditions: readonly Condition[];
  readonly order: readonly { readonly column: string; readonly direction: 'asc' | 'desc' }[];
  readonly limit?: number;
  readonly offset?: number;
}

/** Everything of a table. */
export const EVERYTHING: Selection = { conditions: [], order: [] };

/** A statement with the values of its parameters. */
export interface CompiledSelect {
  readonly sql: string;
  readonly parameters: readonly StoredValue[];
}

/** Compiles only: the statements run on the store's own connection, which is synchronous. */
const compiler = new Kysely<Record<string, Record<string, unknown>>>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** Whole rows, as {@link Row} has them, of those columns that the table has; NULL for the others. */
export function selectRows(
  model: RecordModel,
  selection: Selection,
  existing: ReadonlySet<string>,
): CompiledSelect {
  const columns = [
    sql.ref('id'),
    ...model.columns.map(({ name, kind }) => {
      if (!existing.has(name)) return sql`null`;
      // The driver gives numbers, which have not all of the digits.
      return kind === 'bigint' ? sql`cast(${sql.ref(name)} as text)` : sql.ref(name);
    }),
  ];
  return compiled(sql`select ${sql.join(columns)} ${tail(model, selection, true)}`);
}

/** Their ids alone. */
export function selectIds(model: RecordModel, selection: Selection): CompiledSelect {
  return compiled(sql`select ${sql.ref('id')} ${tail(model, selection, false)}`);
}

/** How many there are. */
export function selectCount(model: RecordModel, selection: Selection): CompiledSelect {
  if (selection.limit === undefined && selection.offset === undefined)
    return compiled(sql`select count(*) ${tail(model, selection, false)}`);
  return compiled(sql`select count(*) from (select 1 ${tail(model, selection, false)})`);
}

function tail(model: RecordModel, selection: Selection, ordered: boolean): RawBuilder<unknown> {
  const { conditions, order, limit, offset } = selection;
  const where = conditions.map((condition) => conditionSql(model, condition));
  const parts = [sql`from ${sql.table(model.table)}`];
  if (where.length > 0) parts.push(sql`where ${sql.join(where, sql` and `)}`);
  if (ordered) {
    const by = order.map(({ column, direction }) =>
      direction === 'desc' ? sql`${columnRef(model, column)} desc` : columnRef(model, column),
    );
    // Whatever else the order is by, it is the same each time.
    parts.push(sql`order by ${sql.join([...by, sql.ref('id')])}`);
  }
  if (limit !== undefined || offset !== undefined)
    parts.push(sql`limit ${limit ?? -1} offset ${offset ?? 0}`);
  return sql.join(parts, sql` `);
}

function conditionSql(model: RecordModel, condition: Condition): RawBuilder<unknown> {
  switch (condition.kind) {
    case 'sql':
      return fragment(condition.text, condition.values);
    case 'null':
      return condition.negated
        ? sql`${columnRef(model, condition.column)} is not null`
        : sql`${columnRef(model, condition.column)} is null`;
    case 'in': {
      const values = condition.values.map((value) => stored(model, condition.column, value));
      // SQLite takes an empty list, which nothing is in.
      const list = values.length === 0 ? sql`` : sql.join(values);
      return condition.negated
        ? sql`${columnRef(model, condition.column)} not in (${list})`
        : sql`${columnRef(model, condition.column)} in (${list})`;
    }
    case 'compare': {
      const { column, operator, value } = condition;
      return sql`${columnRef(model, column)} ${sql.raw(operator)} ${stored(model, column, value)}`;
    }
  }
}

function columnRef(model: RecordModel, column: string): RawBuilder<unknown> {
  if (!model.position.has(column))
    throw new InvalidQuery(
      `${model.name} has no column ${JSON.stringify(column)}. It has: ${[...model.position.keys()].join(', ')}.`,
    );
  return sql.ref(column);
}

function stored(model: RecordModel, column: string, value: unknown): StoredValue {
  const of = model.columns[(model.position.get(column) ?? 0) - 1];
  if (value === undefined)
    throw new InvalidQuery(`A condition on ${model.name}.${column} compares with undefined.`);
  return of === undefined ? (value as number) : storedValue(of, value);
}

/** What is no parameter: texts, quoted names, comments. */
const OPAQUE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

function fragment(text: string, values: readonly unknown[]): RawBuilder<unknown> {
  const pieces: string[] = [];
  let from = 0;
  for (const match of text.matchAll(OPAQUE)) {
    if (match[0] !== '?') continue;
    pieces.push(text.slice(from, match.index));
    from = match.index + 1;
  }
  const places = pieces.length;
  if (places !== values.length)
    throw new InvalidQuery(
      `The condition ${JSON.stringify(text)} has ${String(places)} "?" and ${String(values.length)} values: it takes one for each.`,
    );
  pieces.push(text.slice(from));
  // Kysely takes the parts of a template from whoever calls it.
  const condition = sql(pieces as unknown as TemplateStringsArray, ...values.map(plainValue));
  return sql`(${condition})`;
}

/** A value whose column is not known. */
function plainValue(value: unknown): StoredValue {
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
    case 'number':
    case 'bigint':
      return value;
    default:
      if (value === null) return null;
      if (value instanceof Date) return value.toISOString();
      throw new InvalidQuery(
        `A condition in SQL was given ${typeof value} for a "?": it takes texts, numbers, truth values, dates and null.`,
      );
  }
}

function compiled(query: RawBuilder<unknown>): CompiledSelect {
  const { sql: text, parameters } = query.compile(compiler);
  // They have been made stored values above.
  return { sql: text, parameters: parameters as readonly StoredValue[] };
}
