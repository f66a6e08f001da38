import type { Transaction } from 'kysely';
import { ulid } from 'ulid';
import type {
  BackfillRange,
  DataFlowCatalog,
  FlowChange,
  FlowDeclaration,
  FlowRecord,
} from '../../../src/data-flow/catalog.js';
import type { Json } from '../../../src/definition/json.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { plainText, readFlag, readObject, writeJson, writeNullable } from '../values.js';
import { flowRecord, isDue, lockFlow, readBackfills, type FlowRow } from './flow-rows.js';
import { reconcile, settingsOf, type Settings } from './reconcile.js';
import { activeRun } from './run-rows.js';

/** Most ranges that a flow keeps: the last ones. */
const MAX_BACKFILLS = 20;

/** Most flows that one statement names. */
const NAMES_PER_UPDATE = 500;

/** The part of the port about flows themselves: what they are set to, and where they are. */
export function flowSettings(
  database: CatalogDatabase,
): Pick<
  DataFlowCatalog,
  'declare' | 'touch' | 'flows' | 'flow' | 'change' | 'remove' | 'setCursor' | 'addBackfill' | 'due'
> {
  return {
    declare: (flows, now) => declare(database, flows, now),
    touch: (names, now) => touch(database, names, now),
    flows: async () => {
      const rows = await database.read((db) =>
        db.selectFrom('data_flows').selectAll().orderBy('name').execute(),
      );
      return inOrder(rows).map(flowRecord);
    },
    flow: (name) => findFlow(database, name),
    change: (name, decide, now) => changeFlow(database, name, decide, now),
    remove: (name) => removeFlow(database, name),
    setCursor: (name, cursor, now) => setCursor(database, name, cursor, now),
    addBackfill: (name, range) => addBackfill(database, name, range),
    due: (now) => dueFlows(database, now),
  };
}

/** By name, the same everywhere: each PostgreSQL database has an order of its own. */
function inOrder<T extends Pick<FlowRow, 'name'>>(rows: readonly T[]): readonly T[] {
  return [...rows].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function findFlow(database: CatalogDatabase, name: string): Promise<FlowRecord | undefined> {
  const row = await database.read((db) =>
    db.selectFrom('data_flows').selectAll().where('name', '=', plainText(name)).executeTakeFirst(),
  );
  return row && flowRecord(row);
}

/** Each flow in a transaction of its own, so that none is locked for long. */
async function declare(
  database: CatalogDatabase,
  flows: readonly FlowDeclaration[],
  now: Date,
): Promise<void> {
  for (const flow of flows) {
    await database.write(async (transaction) => {
      await insertFlow(transaction, flow, now);
      const row = await lockFlow(database, transaction, flow.name);
      if (row !== undefined) await updateDeclared(transaction, row, flow, now);
    });
  }
}

/** A flow that is there already stays as it is. */
async function insertFlow(
  transaction: Transaction<Tables>,
  flow: FlowDeclaration,
  now: Date,
): Promise<void> {
  await transaction
    .insertInto('data_flows')
    .values({
      id: ulid(now.getTime()),
      name: flow.name,
      description: flow.description,
      enabled: flow.enabled,
      configuration: writeJson(flow.configuration),
      run_interval: flow.runInterval,
      heartbeat: flow.heartbeat,
      declared: writeSettings(flow),
      backfills: '[]',
      seen_at: now,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
}

async function updateDeclared(
  transaction: Transaction<Tables>,
  row: FlowRow,
  flow: FlowDeclaration,
  now: Date,
): Promise<void> {
  const settings = reconcile(currentSettings(row), readSettings(row.declared), settingsOf(flow));
  const values = {
    description: flow.description,
    enabled: settings.enabled,
    note: settings.enabled ? null : row.note,
    run_interval: settings.runInterval,
    configuration: writeJson(settings.configuration),
    heartbeat: flow.heartbeat,
  };
  const isAsBefore =
    values.description === row.description &&
    values.enabled === readFlag(row.enabled) &&
    values.run_interval === row.run_interval &&
    values.configuration === row.configuration &&
    values.heartbeat === readFlag(row.heartbeat);
  await transaction
    .updateTable('data_flows')
    .set({
      ...values,
      declared: writeSettings(flow),
      seen_at: now,
      ...(!isAsBefore && { updated_at: now }),
    })
    .where('id', '=', row.id)
    .execute();
}

function currentSettings(row: FlowRow): Settings {
  return {
    enabled: readFlag(row.enabled),
    runInterval: row.run_interval,
    configuration: readObject(row.configuration),
  };
}

function writeSettings(settings: Settings): string {
  return JSON.stringify(settingsOf(settings));
}

function readSettings(text: string): Settings {
  // Only writeSettings writes the column.
  return JSON.parse(text) as Settings;
}

/**
 * Flows that somebody has locked are passed over: they are seen the next time, and nobody waits for a process that is frozen. With
 * that, two processes cannot wait for each other either.
 */
async function touch(
  database: CatalogDatabase,
  names: readonly string[],
  now: Date,
): Promise<void> {
  for (let start = 0; start < names.length; start += NAMES_PER_UPDATE) {
    const some = names.slice(start, start + NAMES_PER_UPDATE).map(plainText);
    await database.write((transaction) =>
      transaction
        .updateTable('data_flows')
        .set({ seen_at: now })
        .where('id', 'in', (flow) =>
          flow
            .selectFrom('data_flows')
            .select('id')
            .where('name', 'in', some)
            .$if(database.locksRows, (query) => query.forNoKeyUpdate().skipLocked()),
        )
        .execute(),
    );
  }
}

async function changeFlow(
  database: CatalogDatabase,
  name: string,
  decide: (record: FlowRecord) => FlowChange,
  now: Date,
): Promise<FlowRecord | undefined> {
  return database.write(async (transaction) => {
    const row = await lockFlow(database, transaction, name);
    if (row === undefined) return undefined;
    const { enabled, note, runInterval, configuration } = decide(flowRecord(row));
    const changed = await transaction
      .updateTable('data_flows')
      .set({
        ...(note !== undefined && { note: plainText(note) }),
        ...(enabled !== undefined && { enabled }),
        ...(enabled === true && { note: null }),
        ...(runInterval !== undefined && { run_interval: runInterval }),
        ...(configuration !== undefined && { configuration: writeJson(configuration) }),
        updated_at: now,
      })
      .where('id', '=', row.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    return flowRecord(changed);
  });
}

/** The flow, locked, while no run of it is active. */
async function lockIdleFlow(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  name: string,
): Promise<FlowRow | undefined> {
  const row = await lockFlow(database, transaction, name);
  if (row === undefined) return undefined;
  return (await activeRun(transaction, row.name)) === undefined ? row : undefined;
}

async function removeFlow(database: CatalogDatabase, name: string): Promise<boolean> {
  return database.write(async (transaction) => {
    const row = await lockIdleFlow(database, transaction, name);
    if (row === undefined) return false;
    await transaction.deleteFrom('data_flows').where('id', '=', row.id).execute();
    return true;
  });
}

/**
 * The cursor gets a run number of its own, without a run: a sink that keeps positions itself has only smaller ones, and follows.
 */
async function setCursor(
  database: CatalogDatabase,
  name: string,
  cursor: Json,
  now: Date,
): Promise<boolean> {
  return database.write(async (transaction) => {
    const row = await lockIdleFlow(database, transaction, name);
    if (row === undefined) return false;
    const runSeq = row.last_run_seq + 1;
    await transaction
      .updateTable('data_flows')
      .set({
        cursor: writeNullable(cursor),
        cursor_run_seq: runSeq,
        cursor_step: row.cursor_step + 1,
        sink_state: null,
        last_run_seq: runSeq,
        updated_at: now,
      })
      .where('id', '=', row.id)
      .execute();
    return true;
  });
}

async function addBackfill(
  database: CatalogDatabase,
  name: string,
  range: BackfillRange,
): Promise<void> {
  await database.write(async (transaction) => {
    const row = await lockFlow(database, transaction, name);
    if (row === undefined) return;
    const ranges = [...readBackfills(row), range].slice(-MAX_BACKFILLS);
    await transaction
      .updateTable('data_flows')
      .set({ backfills: JSON.stringify(ranges) })
      .where('id', '=', row.id)
      .execute();
  });
}

/** The arithmetic of times differs between the databases, and flows are few: what is due is decided here, as it is for claims. */
async function dueFlows(database: CatalogDatabase, now: Date): Promise<readonly FlowRecord[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom('data_flows')
      .selectAll()
      .where('enabled', '=', true)
      .where('heartbeat', '=', true)
      .execute(),
  );
  return inOrder(rows)
    .filter((row) => isDue(row, now))
    .map(flowRecord);
}
