import type { ColumnType } from 'kysely';

/*
 * What columns give and take. values.ts says how.
 */

export type Time = ColumnType<Date | string, Date, Date>;
export type OptionalTime = ColumnType<Date | string | null, Date | null | undefined, Date | null>;
export type Flag = ColumnType<boolean | number, boolean, boolean>;
export type Count = ColumnType<number, number | undefined, number>;
/** JSON, as text. */
export type JsonText = string;
/** A column that an insert may leave out. */
export type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;
/** A boolean that may be missing. */
export type OptionalFlag = ColumnType<
  boolean | number | null,
  boolean | null | undefined,
  boolean | null
>;
