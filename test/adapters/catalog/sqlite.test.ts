import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCatalog, type Catalog } from '../../../adapters/catalog/open-catalog.js';
import { testAttributeCatalogs } from '../../conformance/attribute-catalogs.js';
import { testDataFlowCatalog } from '../../conformance/data-flow-catalog.js';
import { testStoreCatalog } from '../../conformance/store-catalog.js';

testDataFlowCatalog('data flows in SQLite', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-catalog-'));
  const catalogs: Catalog[] = [];
  const open = async () => {
    const catalog = await openCatalog({ url: `sqlite:${join(dir, 'catalog.db')}` });
    catalogs.push(catalog);
    return catalog.dataFlows;
  };
  return {
    catalog: await open(),
    another: open,
    dispose: async () => {
      await Promise.all(catalogs.map((catalog) => catalog.close()));
      await rm(dir, { recursive: true, force: true });
    },
  };
});

testAttributeCatalogs('entities, attributes and their pipelines in SQLite', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-catalog-'));
  const catalogs: Catalog[] = [];
  const open = async () => {
    const catalog = await openCatalog({ url: `sqlite:${join(dir, 'catalog.db')}` });
    catalogs.push(catalog);
    return catalog;
  };
  return {
    catalog: await open(),
    another: open,
    dispose: async () => {
      await Promise.all(catalogs.map((catalog) => catalog.close()));
      await rm(dir, { recursive: true, force: true });
    },
  };
});

testStoreCatalog('where record stores are, in SQLite', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-catalog-'));
  const catalog = await openCatalog({ url: `sqlite:${join(dir, 'catalog.db')}` });
  return {
    catalog: catalog.recordStores,
    dispose: async () => {
      await catalog.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
});
