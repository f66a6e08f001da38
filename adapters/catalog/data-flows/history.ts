import type { DataFlowCatalog, FlowRunRecord, RunQuery } from '../../../src/data-flow/catalog.js';
import type { CatalogDatabase } from '../database.js';
import { plainText } from '../values.js';
import { runRecord, selectRuns } from './run-rows.js';

/** The part of the port that tells of runs. */
export function flowHistory(
  database: CatalogDatabase,
): Pick<DataFlowCatalog, 'runs' | 'latestRuns' | 'run'> {
  return {
    runs: (flow, query) => listRuns(database, flow, query),
    latestRuns: (query) => listLatestRuns(database, query),
    run: (flow, id) => findRun(database, flow, id),
  };
}

async function listRuns(
  database: CatalogDatabase,
  flow: string,
  { limit, before, status }: RunQuery,
): Promise<readonly FlowRunRecord[]> {
  const rows = await database.read((db) => {
    let query = selectRuns(db).where('data_flows.name', '=', plainText(flow));
    if (before !== undefined) query = query.where('data_flow_runs.run_seq', '<', before);
    if (status !== undefined) query = query.where('data_flow_runs.status', '=', status);
    return query.orderBy('data_flow_runs.run_seq', 'desc').limit(limit).execute();
  });
  return rows.map(runRecord);
}

async function listLatestRuns(
  database: CatalogDatabase,
  { limit, status }: Pick<RunQuery, 'limit' | 'status'>,
): Promise<readonly FlowRunRecord[]> {
  const rows = await database.read((db) => {
    let query = selectRuns(db);
    if (status !== undefined) query = query.where('data_flow_runs.status', '=', status);
    return query
      .orderBy('data_flow_runs.created_at', 'desc')
      .orderBy('data_flow_runs.id', 'desc')
      .limit(limit)
      .execute();
  });
  return rows.map(runRecord);
}

async function findRun(
  database: CatalogDatabase,
  flow: string,
  id: string | number,
): Promise<FlowRunRecord | undefined> {
  // Numbers come from URLs; PostgreSQL refuses what is no bigint.
  if (typeof id === 'number' && !Number.isSafeInteger(id)) return undefined;
  const row = await database.read((db) => {
    const runs = selectRuns(db).where('data_flows.name', '=', plainText(flow));
    return (
      typeof id === 'number'
        ? runs.where('data_flow_runs.run_seq', '=', id)
        : runs.where('data_flow_runs.id', '=', plainText(id))
    ).executeTakeFirst();
  });
  return row && runRecord(row);
}
