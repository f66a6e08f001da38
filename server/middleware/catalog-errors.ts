import { CatalogUnavailable } from '../../adapters/catalog/catalog-errors.js';
import { errorCode, errorMessage } from '../../adapters/catalog/error-parts.js';

/**
 * Codes of a database that is away, and not wrong about anything. PostgreSQL: class 08 (connection exceptions), 28 (refuses its
 * user), 53 (resources, such as too many connections), 3D000 and 55000 (no such database, or none that takes connections), 57P01 to
 * 57P03 (shut down, crashed, starting). SQLite: what the file or its disk is to blame for.
 */
const AWAY =
  /^(08...|28...|3D000|53...|55000|57P0[123]|E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|NOTFOUND|HOSTUNREACH)|SQLITE_(BUSY|IOERR|CANTOPEN|FULL|READONLY|CORRUPT|NOTADB)\w*)$/;

/** What pg says without a code. */
const AWAY_MESSAGE =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/;

/** Work that asks the catalog. Its database being away is an error that says so. @throws {@link CatalogUnavailable} */
export async function askCatalog<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAway(error)) throw error;
    throw new CatalogUnavailable('of data flows', errorMessage(error), 'Try again.', error);
  }
}

function isAway(error: unknown): boolean {
  return AWAY.test(errorCode(error) ?? '') || AWAY_MESSAGE.test(errorMessage(error));
}
