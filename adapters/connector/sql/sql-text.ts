/** Quotes names as Kysely does for its statements. */
export interface SqlNames {
  /** A table, with or without its schema: `sales.orders`. */
  readonly table: (name: string) => string;
  readonly column: (name: string) => string;
}

/** SQLite and PostgreSQL quote names alike, so one of Kysely's compilers does for both. */
export async function sqlNames(): Promise<SqlNames> {
  const { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } =
    await import('kysely');
  const compiler = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return {
    table: (name) => sql.table(name).compile(compiler).sql,
    // Not as a reference: a dot is part of a column's name here.
    column: (name) => sql.id(name).compile(compiler).sql,
  };
}
