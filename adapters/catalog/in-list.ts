import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { CatalogDatabase } from './database.js';

/**
 * Whether a column is one of some texts: one parameter however many there are, so that the statement stays the same and is kept
 * prepared.
 *
 * @param column - `table.column`
 */
export function isOneOf(
  { kind }: Pick<CatalogDatabase, 'kind'>,
  column: string,
  texts: readonly string[],
): RawBuilder<SqlBool> {
  const name = sql.ref(column);
  return kind === 'sqlite'
    ? sql<SqlBool>`${name} in (select value from json_each(${JSON.stringify(texts)}))`
    : sql<SqlBool>`${name} = any(${texts}::text[])`;
}
