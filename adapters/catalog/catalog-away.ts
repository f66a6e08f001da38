import { errorCode, errorMessage } from '../error-parts.js';

/**
 * Codes of a database that is away, and not wrong about anything. PostgreSQL: class 08 (connection exceptions), 28 (refuses its
 * user), 53 (resources, such as too many connections), 3D000 and 55000 (no such database, or none that takes connections), 57P01 to
 * 57P03 (shut down, crashed, starting), and what the timeouts of postgres-database.ts have ended. SQLite: what the file or its disk
 * is to blame for.
 */
const AWAY =
  /^(08...|28...|3D000|53...|55000|57P0[123]|55P03|57014|25P03|E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|NOTFOUND|HOSTUNREACH)|SQLITE_(BUSY|IOERR|CANTOPEN|FULL|READONLY|CORRUPT|NOTADB)\w*)$/;

/** What pg says without a code. */
const AWAY_MESSAGE =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/;

/** True for the error of a database that is away, and may be back when it is asked again. */
export function isCatalogAway(error: unknown): boolean {
  return AWAY.test(errorCode(error) ?? '') || AWAY_MESSAGE.test(errorMessage(error));
}
