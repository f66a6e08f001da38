import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Site } from '../definition/problem.js';
import type { Columns, Values } from './column.js';

/** Another record that this one has many of, or belongs to. */
export interface Link<R extends string = string> {
  /** By its name in the store. */
  readonly record: R;
  /** The column with the other's id: of the other's table for `hasMany`, of this one's for `belongsTo`. */
  readonly foreignKey: string;
}

/** Links by the property that leads there. */
export type Links = Readonly<Record<string, Link>>;

/** What every record can do beside what its columns and methods are. */
export interface RecordActions<C extends Columns> {
  /** Given by the store, from 1. */
  readonly id: number;
  /**
   * Changes columns. In a body or a transaction the change is written at its end, together with all others.
   *
   * @returns the record itself, which shows the new values
   * @throws {@link RecordInvalid} with the path of each wrong value
   */
  update(values: Partial<Values<C>>): this;
  /** Removes the record. What belongs to it stays. */
  delete(): void;
  /** The columns as a plain object, with the id. */
  toJSON(): Values<C> & { readonly id: number };
}

/** What {@link record} takes. */
export interface RecordDefinition<C extends Columns, M, H extends Links, B extends Links> {
  /** Its table in SQLite. */
  readonly table: string;
  /** Its columns beside `id`, as zod says what they may be. */
  readonly columns: C;
  /** What has to hold between columns: gives a sentence for each thing that does not. */
  readonly validates?: (values: Values<C>) => string | readonly string[] | undefined;
  /** Methods of its records; `this` is the record. */
  readonly methods?: M & ThisType<Values<C> & RecordActions<C> & M>;
  /** Records of another table that have its id in a column. */
  readonly hasMany?: H;
  /** Records of another table whose ids are in its columns. */
  readonly belongsTo?: B;
}

/** A record type of a store. Made by {@link record}. */
export interface RecordType<
  C extends Columns = Columns,
  M = object,
  H extends Links = Links,
  B extends Links = Links,
> extends AnyRecordType {
  readonly columns: C;
  readonly validates: ((values: Values<C>) => string | readonly string[] | undefined) | undefined;
  readonly methods: M;
  readonly hasMany: H;
  readonly belongsTo: B;
}

/** A record type whatever it is of. Says nothing of its parts, so that those of a store are inferred one by one. */
export interface AnyRecordType extends Branded<'record'> {
  readonly table: string;
  readonly site?: Site;
}

/**
 * Defines the records of one table. Their types follow from the columns.
 *
 * @example
 * ```ts
 * const author = record({
 *   table: 'authors',
 *   columns: { name: z.string().min(1), processed: z.boolean().default(false) },
 *   methods: {
 *     shout() {
 *       return this.name.toUpperCase();
 *     },
 *   },
 *   hasMany: { posts: { record: 'post', foreignKey: 'author_id' } },
 * });
 * ```
 */
export function record<
  C extends Columns,
  M = object,
  const H extends Links = Record<never, never>,
  const B extends Links = Record<never, never>,
>(definition: RecordDefinition<C, M, H, B>): RecordType<C, M, H, B> {
  const site = callerSite();
  const { table, columns, validates, methods, hasMany, belongsTo } = definition;
  return {
    [DEFINITION]: 'record',
    table,
    columns,
    validates,
    // Who writes none has none: the types' defaults are empty.
    methods: (methods ?? {}) as M,
    hasMany: (hasMany ?? {}) as H,
    belongsTo: (belongsTo ?? {}) as B,
    ...(site !== undefined && { site }),
  };
}
