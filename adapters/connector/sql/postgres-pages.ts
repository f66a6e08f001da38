import type { Client, FieldDef } from 'pg';
import type { Row } from '../../../src/data-flow/row.js';
import type { SourceBatch } from '../../../src/data-flow/source.js';
import type { Json } from '../../../src/definition/json.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import {
  keysetAfter,
  keysetCursor,
  keysetText,
  nullCursor,
  refuseRepeatedKeys,
  type KeysetRequest,
  type KeysetText,
} from './keyset.js';
import { connectPostgres } from './postgres.js';
import { sqlError } from './sql-error.js';
import { sqlNames } from './sql-text.js';

/** Gives the rows of a PostgreSQL database in pages. */
export async function* postgresPages(
  url: string,
  request: KeysetRequest,
): AsyncGenerator<SourceBatch> {
  const text = keysetText(request, await sqlNames());
  const after = keysetAfter(request);
  const { client, close } = await connectPostgres(url, request.signal);
  try {
    const shape = await shapeOf(client, text);
    refuseLag(request, shape);
    await refuseNulls(client, request, text, shape);
    yield* pages(client, request, text, shape, after);
  } catch (error) {
    // Aborting has ended the connection, which is no error of its own.
    request.signal.throwIfAborted();
    throw sqlError(error, 'Cannot read from PostgreSQL');
  } finally {
    await close();
  }
}

async function* pages(
  client: Client,
  request: KeysetRequest,
  text: KeysetText,
  { names, keys }: Shape,
  begin: readonly Json[] | undefined,
): AsyncGenerator<SourceBatch> {
  const { batchSize } = request;
  for (let after = begin; ;) {
    request.signal.throwIfAborted();
    const { rows: lists } = await client.query<unknown[]>({
      text: pageText(text, keys, request, after !== undefined),
      // One more than wanted tells whether there is another page.
      values: [batchSize + 1, ...(after ?? [])],
      rowMode: 'array',
    });
    // Casts to text give text, and NULLs were looked for.
    const places = lists.map((list) => list.slice(names.length) as string[]);
    refuseRepeatedKeys(request, places);
    after = places[Math.min(batchSize, places.length) - 1];
    if (after === undefined) return;
    const rows = lists.slice(0, batchSize).map((list) => rowOf(list, names));
    yield { rows, cursor: keysetCursor(request, after) };
    if (lists.length <= batchSize) return;
  }
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

function rowOf(list: readonly unknown[], names: readonly string[]): Row {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < names.length; index += 1) row[names[index] ?? ''] = list[index];
  return row;
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
function refuseLag({ lagMs, cursorColumns: [first = ''] }: KeysetRequest, { keys }: Shape): void {
  const [key] = keys;
  if (lagMs === undefined || key?.type.endsWith('with time zone') === true) return;
  throw permanent(
    `\`lag\` needs a timestamptz as the first column of the cursor; "${first}" is of type ${key?.type ?? ''}. In a query it can be made one: \`${first} AT TIME ZONE 'UTC' AS ${first}\`.`,
    { column: first },
    'UnusableCursor',
  );
}

/** Columns that cannot be NULL are not searched: without an index that would read the whole table. */
async function refuseNulls(
  client: Client,
  request: KeysetRequest,
  { from, keys }: KeysetText,
  shape: Shape,
): Promise<void> {
  for (const [index, column] of request.cursorColumns.entries()) {
    // A column of a query is not always what it is in its table: an outer join fills it with NULL.
    if (request.table !== undefined && shape.keys[index]?.required === true) continue;
    const { rowCount } = await client.query(
      `SELECT 1 FROM ${from} WHERE ${keys[index] ?? ''} IS NULL LIMIT 1`,
    );
    if (rowCount !== 0) throw nullCursor(request, column);
  }
}
