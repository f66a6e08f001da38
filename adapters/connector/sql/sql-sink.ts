import { defineSink } from '../../../src/data-flow/sink.js';
import { databaseAddress } from './database-address.js';
import { openPostgresSink } from './postgres-sink.js';
import { SqlSinkOptions } from './sql-sink-options.js';
import { openSqliteSink } from './sqlite-sink.js';

/**
 * Writes rows to a table of SQLite or PostgreSQL, each batch in one transaction. With a key, rows that the table has already are
 * updated, and those that have the same values left alone; of two rows of a batch with the same key the later one counts. A
 * property that is missing in a row is NULL.
 *
 * Ends with permanent errors: `TableNotFound`, `InvalidRow` for rows without a key, `SqlError` for what the database refuses.
 */
export const sqlSink = defineSink({
  name: 'sql',
  description: 'Writes rows to a table of SQLite or PostgreSQL.',
  options: SqlSinkOptions,
  open: ({ options, dir, flow, runSeq, signal }) => {
    const owner = { flow, sink: options.table, runSeq };
    const address = databaseAddress(options.database, dir);
    return address.kind === 'sqlite'
      ? openSqliteSink(address.path, options, owner)
      : openPostgresSink(address.url, options, owner, signal);
  },
});
