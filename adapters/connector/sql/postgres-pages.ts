import type { Client, FieldDef } from 'pg';
import type { SourceBatch } from '../../../src/data-flow/source.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { keysetPages, refuseNulls, rowOf, type NullSearch, type ReadPage } from './keyset-pages.js';
import { keysetText, type KeysetRequest, type KeysetText } from './keyset.js';
import { connectPostgres } from './postgres.js';
import { sqlError } from './sql-error.js';
import { sqlNames } from './sql-text.js';

/** Gives the rows of a PostgreSQL database in pages. */
export async function* postgresPages(
  url: string,
  request: KeysetRequest,
): AsyncGenerator<SourceBatch> {
  const text = keysetText(request, await sqlNames());
  const { client, close } = await connectPostgres(url, request.signal);
  try {
    const shape = await shapeOf(client, text);
    refuseLag(request, shape);
    await refuseNulls(request, text, nullSearch(client, request, shape));
    yield* keysetPages(request, pageReader(client, request, text, shape));
  } catch (error) {
    // Aborting has ended the connection, which is no error of its own.
    request.signal.throwIfAborted();
    throw sqlError(error, 'Cannot read from PostgreSQL');
  } finally {
    await close();
  }
}

function pageReader(
  client: Client,
  request: KeysetRequest,
  text: KeysetText,
  { names, keys }: Shape,
): ReadPage {
  return async (after, limit) => {
    const { rows: lists } = await client.query<unknown[]>({
      text: pageText(text, keys, request, after !== undefined),
      values: [limit, ...(after ?? [])],
      rowMode: 'array',
    });
    return {
      rows: lists.map((list) => rowOf(list, names)),
      // Casts to text give text, and NULLs were looked for.
      keys: lists.map((list) => list.slice(names.length) as string[]),
    };
  };
}

/**
 * Cursor values travel as text in both directions: a Date has milliseconds where a timestamp has microseconds, and a number
 * 53 bits where a bigint has 64.
 */
function pageText(
  { from, select, keys, order }: KeysetText,
  types: readonly KeyColumn[],
  { lagMs }: KeysetRequest,
  goesOn: boolean,
): string {
  const values = types.map(({ type }, index) => `$${String(index + 2)}::text::${type}`);
  const conditions = [
    ...(goesOn ? [`(${order}) > (${values.join(', ')})`] : []),
    ...(lagMs === undefined
      ? []
      : [`${keys[0] ?? ''} < now() - interval '${String(lagMs)} milliseconds'`]),
  ];
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  const texts = keys.map((key) => `${key}::text`).join(', ');
  return `SELECT ${select}, ${texts} FROM ${from}${where} ORDER BY ${order} LIMIT $1::bigint`;
}

/** What the rows look like. */
interface Shape {
  readonly names: readonly string[];
  readonly keys: readonly KeyColumn[];
}

/** A column of the cursor. */
interface KeyColumn {
  /** As PostgreSQL writes it: `timestamp with time zone`. */
  readonly type: string;
  /** Declared NOT NULL. */
  readonly required: boolean;
}

async function shapeOf(client: Client, { from, select, keys, order }: KeysetText): Promise<Shape> {
  const { fields } = await client.query({
    text: `SELECT ${select}, ${order} FROM ${from} LIMIT 0`,
    rowMode: 'array',
  });
  const firstKey = fields.length - keys.length;
  const columns: KeyColumn[] = [];
  for (const field of fields.slice(firstKey)) columns.push(await keyColumn(client, field));
  return { names: fields.slice(0, firstKey).map(({ name }) => name), keys: columns };
}

async function keyColumn(client: Client, field: FieldDef): Promise<KeyColumn> {
  const { rows } = await client.query<KeyColumn>(
    `SELECT format_type($1::oid, $2::int) AS type, EXISTS (
       SELECT FROM pg_attribute WHERE attrelid = $3::oid AND attnum = $4::int AND attnotnull
     ) AS required`,
    [field.dataTypeID, field.dataTypeModifier, field.tableID, field.columnID],
  );
  return rows[0] ?? { type: 'text', required: false };
}

/** A time without a zone has no age. */
function refuseLag({ lagMs, origin }: KeysetRequest, { keys }: Shape): void {
  const [first = ''] = origin.cursorColumns;
  const [key] = keys;
  if (lagMs === undefined || key?.type.endsWith('with time zone') === true) return;
  throw permanent(
    `\`lag\` needs a timestamptz as the first column of the cursor; "${first}" is of type ${key?.type ?? ''}. In a query it can be made one: \`${first} AT TIME ZONE 'UTC' AS ${first}\`.`,
    { column: first },
    'UnusableCursor',
  );
}

function nullSearch(client: Client, { origin }: KeysetRequest, { keys }: Shape): NullSearch {
  return {
    // A column of a query is not always what it is in its table: an outer join fills it with NULL.
    isRequired: (_column, at) => origin.table !== undefined && keys[at]?.required === true,
    finds: async (statement) => (await client.query(statement)).rowCount !== 0,
  };
}
