/** A change of a store's tables that was made after they were: it runs once, by its name. */
export type Migration =
  /** Columns that a record has beside those that its table was made with: by record, their names. */
  | { readonly addColumns: Readonly<Record<string, readonly string[]>> }
  /** Statements of SQL, which run in one transaction. */
  | { readonly sql: string | readonly string[] };

/** Migrations by their names, in the order in which they run. */
export type Migrations = Readonly<Record<string, Migration>>;

/** Columns that come with a migration, and that the table is therefore not made with. */
export function addedColumns(migrations: Migrations, record: string): ReadonlySet<string> {
  return new Set(
    Object.values(migrations).flatMap((migration) =>
      'addColumns' in migration ? (migration.addColumns[record] ?? []) : [],
    ),
  );
}
