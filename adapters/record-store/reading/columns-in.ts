import { openToRead } from '../connection.js';
import type { RecordModel } from '../record-model.js';
import { existingColumns } from '../schema.js';

/**
 * The columns that a database has for a record type, `id` among them; none where it has no such table.
 *
 * @throws {@link StoreUnusable}
 */
export function columnsIn(file: string, model: RecordModel): ReadonlySet<string> {
  const db = openToRead(file);
  try {
    return existingColumns(db, model);
  } finally {
    db.close();
  }
}
