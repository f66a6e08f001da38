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
  const db = openToRead(after);
  try {
    return guarded(before, () => {
      db.prepare('attach ? as older').run(before);
      return Object.fromEntries(
        [...models.values()].map((model) => [model.name, diffTable(db, model, limit)]),
      );
    });
  } finally {
    db.close();
  }
}

type Side = 'older' | 'main';

function diffTable(db: Connection, model: RecordModel, limit: number): TableDiff {
  const [older, newer] = (['older', 'main'] as const).map((side) => selectAll(db, model, side));
  const names = model.columns.map(({ name }) => name);
  const differs = names.map((name) => `a."${name}" is not b."${name}"`).join(' or ') || '0';
  const count = (sql: string): number => Number(db.prepare(sql).pluck().get());
  const added = count(
    `select count(*) from (${newer ?? ''}) b where not exists (select 1 from (${older ?? ''}) a where a.id = b.id)`,
  );
  const removed = count(
    `select count(*) from (${older ?? ''}) a where not exists (select 1 from (${newer ?? ''}) b where b.id = a.id)`,
  );
  const changed = count(
    `select count(*) from (${older ?? ''}) a join (${newer ?? ''}) b on a.id = b.id where ${differs}`,
  );
  const rows = db
    .prepare(
      `select a.*, b.* from (${older ?? ''}) a full join (${newer ?? ''}) b on a.id = b.id
       where a.id is null or b.id is null or ${differs} order by coalesce(a.id, b.id) limit ?`,
    )
    .raw()
    .all(limit) as StoredValue[][];
  return { added, removed, changed, changes: rows.map((row) => recordDiff(model, row)) };
}

function recordDiff(model: RecordModel, row: Row): RecordDiff {
  const width = model.columns.length + 1;
  const side = (half: Row): RecordDiff['before'] =>
    half[0] === null ? undefined : valuesOf(model, half);
  const [before, after] = [row.slice(0, width), row.slice(width)];
  return { id: Number(before[0] ?? after[0]), before: side(before), after: side(after) };
}

/** All rows of a table of one state, with NULL for what it lacks: a column, or the whole table. */
function selectAll(db: Connection, model: RecordModel, side: Side): string {
  const existing = new Set(
    db
      .prepare('select name from pragma_table_info(?, ?)')
      .pluck()
      .all(model.table, side) as string[],
  );
  const columns = model.columns.map(({ name, kind }) => {
    if (!existing.has(name)) return `null as "${name}"`;
    return kind === 'bigint' ? `cast("${name}" as text) as "${name}"` : `"${name}"`;
  });
  if (existing.size === 0) return `select ${['null as "id"', ...columns].join(', ')} where 0`;
  return `select ${['"id"', ...columns].join(', ')} from ${side}."${model.table}"`;
}
