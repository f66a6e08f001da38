import { afterAll, beforeAll } from '@jest/globals';
import { openCatalog, type Catalog } from '../../../adapters/catalog/open-catalog.js';
import { testAttributeCatalogs } from '../../conformance/attribute-catalogs.js';
import { testDataFlowCatalog } from '../../conformance/data-flow-catalog.js';
import { testStoreCatalog } from '../../conformance/store-catalog.js';
import {
  createPostgresDatabase,
  describePostgres,
  execute,
  type PostgresDatabase,
} from '../../support/postgres.js';

describePostgres('PostgreSQL', () => {
  let database: PostgresDatabase;
  beforeAll(async () => {
    database = await createPostgresDatabase();
  });
  afterAll(async () => {
    await database.drop();
  });

  testDataFlowCatalog('data flows in PostgreSQL', async () => {
    const catalogs: Catalog[] = [];
    const open = async () => {
      const catalog = await openCatalog({ url: database.url });
      catalogs.push(catalog);
      return catalog.dataFlows;
    };
    const catalog = await open();
    // A new database for each test would take most of the suite's time.
    await execute(database.url, 'truncate data_flows cascade');
    return {
      catalog,
      another: open,
      dispose: async () => {
        await Promise.all(catalogs.map((it) => it.close()));
      },
    };
  });

  testAttributeCatalogs('entities, attributes and their pipelines in PostgreSQL', async () => {
    const catalogs: Catalog[] = [];
    const open = async () => {
      const catalog = await openCatalog({ url: database.url });
      catalogs.push(catalog);
      return catalog;
    };
    const catalog = await open();
    await execute(database.url, 'truncate entity_types cascade');
    return {
      catalog,
      another: open,
      dispose: async () => {
        await Promise.all(catalogs.map((it) => it.close()));
      },
    };
  });

  testStoreCatalog('where record stores are, in PostgreSQL', async () => {
    const { recordStores, close } = await openCatalog({ url: database.url });
    await execute(database.url, 'truncate record_stores');
    return { catalog: recordStores, dispose: close };
  });
});
