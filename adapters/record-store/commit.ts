import type { RecordModel } from './record-model.js';
import { RecordChanged } from '../../src/record-store/errors.js';
import type { Connection } from './connection.js';
import { idOf } from './row.js';
import type { Entry, Session, Write } from './session.js';
import type { TableStatements } from './table-statements.js';

/** The statements of each table. */
export type Tables = (model: RecordModel) => TableStatements;

/** Puts the changes of a session where its own reads see them, whatever the tables have by now. */
export function applyForReading(tables: Tables, session: Session): void {
  for (const write of session.writes) apply(tables, write, false);
}

/**
 * Writes what a session has changed, provided that everything which it read is as it was then. Within a transaction that the
 * caller began; what this throws leaves nothing of the session behind.
 *
 * @param isGivenSame - nothing can have changed the record that it began with
 * @throws {@link RecordChanged}, and SQLite's errors for what breaks a constraint
 */
export function commitSession(
  db: Connection,
  tables: Tables,
  session: Session,
  isGivenSame: boolean,
): void {
  const isSure = (entry: Entry): boolean => isGivenSame && session.isGiven(entry);
  session.forEach((entry) => {
    if (!isSure(entry)) checkRead(tables, entry);
  });
  const [only, ...more] = session.writes;
  if (only === undefined) return;
  // One statement is whole or not there by itself.
  if (more.length === 0) {
    apply(tables, only, !isSure(only.entry));
    return;
  }
  db.exec('savepoint body');
  try {
    for (const write of session.writes) apply(tables, write, !isSure(write.entry));
    db.exec('release body');
  } catch (error) {
    // SQLite has taken back the whole transaction itself where the disk is full and the like.
    if (db.inTransaction) db.exec('rollback to body; release body');
    throw error;
  }
}

function checkRead(tables: Tables, { model, base, written }: Entry): void {
  if (written || base === undefined) return;
  if (!tables(model).hasSame(base)) throw new RecordChanged(model.name, idOf(base));
}

/** @param checked - whether the first change of a record needs the table to have what the session had read */
function apply(tables: Tables, write: Write, checked: boolean): void {
  const { entry } = write;
  const table = tables(entry.model);
  switch (write.kind) {
    case 'insert':
      table.insert(write.row);
      return;
    case 'update': {
      const base = checked && write.first ? entry.base : undefined;
      if (table.update(write.row, write.columns, base)) return;
      throw new RecordChanged(entry.model.name, idOf(write.row));
    }
    case 'delete': {
      const { id } = entry.record;
      const base = checked && write.first ? entry.base : undefined;
      if (table.remove(base ?? [id], base)) return;
      throw new RecordChanged(entry.model.name, id);
    }
  }
}
