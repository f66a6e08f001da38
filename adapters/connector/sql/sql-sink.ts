import { defineSink } from '../../../src/data-flow/sink.js';
import { databaseAddress } from './database-address.js';
import { openPostgresSink } from './postgres-sink.js';
import { SqlSinkOptions } from './sql-sink-options.js';
import { openSqliteSink } from './sqlite-sink.js';

/**
 * Writes rows to a table of SQLite or PostgreSQL, each batch in one transaction. With a key, rows that the table has already are
 * updated, and those that have the same values left alone; of two rows of a batch with the same key the later one counts. What a
 * row lacks is left as it is, or has the default of its column in a row that is new.
 *
 * Ends with permanent errors: `TableNotFound`, `InvalidRow` for rows without a key, `SqlError` for what the database refuses.
 */
export const sqlSink = defineSink({
  name: 'sql',
  description: 'Writes rows to a table of SQLite or PostgreSQL.',
  options: SqlSinkOptions,
  open: ({ options, dir, flow, flowId, runSeq, signal, log }) => {
    const owner = { flow, flowId, sink: options.table, runSeq, log };
    const address = databaseAddress(options.database, dir);
    return address.kind === 'sqlite'
      ? openSqliteSink(address.path, options, owner)
      : openPostgresSink(address.url, options, owner, signal);
  },
});
