import { isCatalogAway } from '../../adapters/catalog/catalog-away.js';
import { CatalogUnavailable } from '../../adapters/catalog/catalog-errors.js';
import { errorMessage } from '../../adapters/error-parts.js';

/** Work that asks the catalog. Its database being away is an error that says so. @throws {@link CatalogUnavailable} */
export async function askCatalog<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isCatalogAway(error)) throw error;
    throw new CatalogUnavailable('of data flows', errorMessage(error), 'Try again.', error);
  }
}
