import type { RecordDiff, StoreDiff, TableDiff } from '../../../src/record-store/store.js';
import type { StoredValue } from '../../../src/record-store/column.js';
import { guarded, openToRead, type Connection } from '../connection.js';
import { valuesOf } from '../record-class.js';
import type { RecordModel, RecordModels } from '../record-model.js';
import type { Row } from '../row.js';

/** Two states of a store: files, the older one first. */
export interface DiffRequest {
  readonly before: string;
  readonly after: string;
  readonly models: RecordModels;
  /** Most records that are listed of each type. */
  readonly limit: number;
}

/** What differs between two states of a store, by record type. Columns that one of them lacks are empty there. */
export function diffFiles({ before, after, models, limit }: DiffRequest): StoreDiff {
  // One that cannot be opened is told by its own name.
  openToRead(before).close();
  const db = openToRead(after);
  try {
    db.prepare('attach ? as older').run(before);
    return Object.fromEntries(
      [...models.values()].map((model) => [model.name, diffTable(db, model, limit)]),
    );
  } catch (error) {
    return guarded(isWhole(db) ? before : after, () => {
      throw error;
    });
  } finally {
    db.close();
  }
}

/** True where what is wrong with two databases is not wrong with the main one. */
function isWhole(db: Connection): boolean {
  try {
    return db.pragma('main.quick_check(1)', { simple: true }) === 'ok';
  } catch {
    return false;
  }
}

/** Columns that each of the two states has of a table; none where it lacks the table. */
export interface DiffColumns {
  readonly older: ReadonlySet<string>;
  readonly newer: ReadonlySet<string>;
}

/** The statements that compare one table of a database with that of another, which is attached as `older`. */
export interface DiffStatements {
  readonly added: string;
  readonly removed: string;
  readonly changed: string;
  /** Rows of the older one and the newer one side by side, each as {@link Row} has it. Takes the most that are wanted. */
  readonly changes: string;
}

/** Columns that one of the states lacks are empty there. */
export function diffStatements(model: RecordModel, { older, newer }: DiffColumns): DiffStatements {
  const a = selectAll(model, 'older', older);
  const b = selectAll(model, 'main', newer);
  const differs =
    model.columns.map(({ name }) => `a."${name}" is not b."${name}"`).join(' or ') || '0';
  return {
    added: `select count(*) from (${b}) b where not exists (select 1 from (${a}) a where a.id = b.id)`,
    removed: `select count(*) from (${a}) a where not exists (select 1 from (${b}) b where b.id = a.id)`,
    changed: `select count(*) from (${a}) a join (${b}) b on a.id = b.id where ${differs}`,
    changes: `select a.*, b.* from (${a}) a full join (${b}) b on a.id = b.id
      where a.id is null or b.id is null or ${differs} order by coalesce(a.id, b.id) limit ?`,
  };
}

function diffTable(db: Connection, model: RecordModel, limit: number): TableDiff {
  const statements = diffStatements(model, {
    older: columnsIn(db, model, 'older'),
    newer: columnsIn(db, model, 'main'),
  });
  const count = (sql: string): number => Number(db.prepare(sql).pluck().get());
  const rows = db.prepare(statements.changes).raw().all(limit) as StoredValue[][];
  return {
    added: count(statements.added),
    removed: count(statements.removed),
    changed: count(statements.changed),
    changes: rows.map((row) => recordDiff(model, row)),
  };
}

type Side = 'older' | 'main';

function columnsIn(db: Connection, model: RecordModel, side: Side): ReadonlySet<string> {
  const sql = 'select name from pragma_table_info(?, ?)';
  return new Set(db.prepare(sql).pluck().all(model.table, side) as string[]);
}

function recordDiff(model: RecordModel, row: Row): RecordDiff {
  const width = model.columns.length + 1;
  const side = (half: Row): RecordDiff['before'] =>
    half[0] === null ? undefined : valuesOf(model, half);
  const [before, after] = [row.slice(0, width), row.slice(width)];
  return { id: Number(before[0] ?? after[0]), before: side(before), after: side(after) };
}

/** All rows of a table of one state, with NULL for what it lacks: a column, or the whole table. */
function selectAll(model: RecordModel, side: Side, existing: ReadonlySet<string>): string {
  const columns = model.columns.map(({ name, kind }) => {
    if (!existing.has(name)) return `null as "${name}"`;
    return kind === 'bigint' ? `cast("${name}" as text) as "${name}"` : `"${name}"`;
  });
  if (existing.size === 0) return `select ${['null as "id"', ...columns].join(', ')} where 0`;
  return `select ${['"id"', ...columns].join(', ')} from ${side}."${model.table}"`;
}
