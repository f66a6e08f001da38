import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../../../src/definition/json.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { databaseIdentity } from './database-address.js';
import { mainTable, plainName } from './main-table.js';

/** What is read along which columns. Behind a place in one there is nothing known of another. */
export interface KeysetOrigin {
  /** The option: may hold a password. */
  readonly database: string;
  /** Exactly one of both. */
  readonly table: string | undefined;
  readonly query: string | undefined;
  /** The columns that order the rows. */
  readonly cursorColumns: readonly string[];
}

/** Where the next page begins: behind these values of the cursor's columns. */
const KeysetCursor = z.object({
  after: z.array(z.json()),
  /** Of what it is. One that a person has written has neither. */
  columns: z.array(z.string()).optional(),
  of: z.string().optional(),
});

/**
 * The values behind which to go on; undefined at the beginning.
 *
 * @param flow - its name, for the message
 * @throws a permanent error of type `InvalidCursor`
 */
export function keysetAfter(
  cursor: Json | undefined,
  origin: KeysetOrigin,
  flow: string,
): readonly Json[] | undefined {
  if (cursor === undefined || cursor === null) return undefined;
  const { data: place } = KeysetCursor.safeParse(cursor);
  const { cursorColumns } = origin;
  const fits =
    place?.after.length === cursorColumns.length &&
    !place.after.includes(null) &&
    (place.of === undefined || place.of === originHash(origin)) &&
    (place.columns === undefined || isSame(place.columns, cursorColumns));
  if (fits) return place.after;
  const example = JSON.stringify({ after: cursorColumns.map((name) => `<${name}>`) });
  throw permanent(
    `The cursor is not one of ${whatOf(origin)} along ${cursorColumns.join(', ')}: the flow has read another table, database or source before. To read this from its beginning: millrace flows reset ${flow}   To go on where you say: millrace flows reset ${flow} --cursor '${example}'`,
    cursor,
    'InvalidCursor',
  );
}

/** Gives the cursor behind a row. */
export function keysetCursors(origin: KeysetOrigin): (after: readonly Json[]) => Json {
  const of = originHash(origin);
  return (after) => ({ columns: [...origin.cursorColumns], after: [...after], of });
}

/** Of a query only its first table: with other conditions and columns it has the same rows in the same order. */
function originHash({ database, table, query, cursorColumns }: KeysetOrigin): string {
  const from = table === undefined ? mainTable(query ?? '') : plainName(table);
  const text = JSON.stringify([databaseIdentity(database), from ?? null, ...cursorColumns]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}

function whatOf({ table }: KeysetOrigin): string {
  return table === undefined ? 'this query' : `table ${table}`;
}
