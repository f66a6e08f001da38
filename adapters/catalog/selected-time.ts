import { sql, type RawBuilder } from 'kysely';
import type { CatalogDatabase } from './database.js';

/** A time among what a query selects: PostgreSQL takes a bare parameter there for text. */
export function selectedTime(
  { kind }: Pick<CatalogDatabase, 'kind'>,
  time: Date,
): RawBuilder<Date> {
  return kind === 'postgres' ? sql<Date>`${time}::timestamptz` : sql<Date>`${time}`;
}
