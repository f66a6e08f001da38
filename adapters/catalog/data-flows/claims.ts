import type { Transaction } from 'kysely';
import { ulid } from 'ulid';
import type {
  Claim,
  ClaimRequest,
  DataFlowCatalog,
  FlowRunRecord,
} from '../../../src/data-flow/catalog.js';
import { ownMember } from '../../../src/definition/json.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { plainText, readFlag, writeJson } from '../values.js';
import { isDue, lockFlow, type FlowRow } from './flow-rows.js';
import { ACTIVE, activeRun, runRecord, selectRuns } from './run-rows.js';

/** Of each flow that another comes after: the number of its last run that succeeded; 0 when none has. */
type AfterRuns = Readonly<Record<string, number>>;

/** The part of the port that decides who may run a flow. */
export function flowClaims(
  database: CatalogDatabase,
): Pick<DataFlowCatalog, 'claim' | 'activeRuns'> {
  return {
    claim: (request) => claim(database, request),
    activeRuns: async (limit) => {
      const rows = await database.read((db) =>
        selectRuns(db)
          .where('data_flow_runs.status', 'in', ACTIVE)
          .orderBy('data_flow_runs.created_at')
          .orderBy('data_flow_runs.id')
          .limit(limit)
          .execute(),
      );
      return rows.map(runRecord);
    },
  };
}

async function claim(database: CatalogDatabase, request: ClaimRequest): Promise<Claim> {
  try {
    return await database.write((transaction) => claimIn(database, transaction, request));
  } catch (error) {
    if (!database.isDuplicate(error)) throw error;
    // Somebody who does not lock the flow, such as a person with a SQL prompt, was faster.
    const run = await database.read((db) => activeRun(db, request.flow));
    if (run === undefined) throw error;
    return { kind: 'active', run: runRecord(run) };
  }
}

async function claimIn(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  request: ClaimRequest,
): Promise<Claim> {
  const flow = await lockFlow(database, transaction, request.flow);
  if (flow === undefined) return { kind: 'unknown' };
  const active = await activeRun(transaction, flow.name);
  if (active !== undefined) return { kind: 'active', run: runRecord(active) };
  const over = await sameTime(transaction, flow, request);
  if (over !== undefined) return { kind: 'over', run: over };
  if (request.onlyEnabled === true && !readFlag(flow.enabled)) return { kind: 'disabled' };
  if (request.onlyDue === true && !isDue(flow, request.now)) return { kind: 'not_due' };
  const succeeded = await lastSuccesses(transaction, request.after ?? []);
  if (request.trigger === 'after' && !(await haveMovedOn(transaction, flow, succeeded)))
    return { kind: 'waiting' };
  return { kind: 'claimed', run: await insertRun(transaction, flow, request, succeeded) };
}

/**
 * The run of an earlier attempt whose answer was lost, and which somebody else has started meanwhile. A schedule asks for each time
 * once, and a backfill may ask for one again.
 */
async function sameTime(
  transaction: Transaction<Tables>,
  flow: FlowRow,
  { trigger, scheduledAt }: ClaimRequest,
): Promise<FlowRunRecord | undefined> {
  if (trigger !== 'schedule' || scheduledAt === undefined) return undefined;
  const last = await selectRuns(transaction)
    .where('data_flow_runs.data_flow_id', '=', flow.id)
    .where('data_flow_runs.trigger', '=', trigger)
    .orderBy('data_flow_runs.run_seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  const run = last && runRecord(last);
  return run?.scheduledAt?.getTime() === scheduledAt.getTime() ? run : undefined;
}

/** A flow that is not known yet has succeeded 0 times. */
async function lastSuccesses(
  transaction: Transaction<Tables>,
  names: readonly string[],
): Promise<AfterRuns> {
  if (names.length === 0) return {};
  const rows = await transaction
    .selectFrom('data_flows')
    .select((flow) => [
      'data_flows.name',
      // Not max(): that would read all runs of the flow, this begins at the newest.
      flow
        .selectFrom('data_flow_runs')
        .select('data_flow_runs.run_seq')
        .whereRef('data_flow_runs.data_flow_id', '=', 'data_flows.id')
        .where('data_flow_runs.status', '=', 'success')
        .orderBy('data_flow_runs.run_seq', 'desc')
        .limit(1)
        .as('run_seq'),
    ])
    .where('data_flows.name', 'in', names)
    .execute();
  const found = new Map(rows.map(({ name, run_seq }) => [name, run_seq]));
  return Object.fromEntries(names.map((name) => [name, found.get(name) ?? 0]));
}

/** True when each of the flows has succeeded since the last run of this one was claimed. */
async function haveMovedOn(
  transaction: Transaction<Tables>,
  flow: FlowRow,
  succeeded: AfterRuns,
): Promise<boolean> {
  const latest = await transaction
    .selectFrom('data_flow_runs')
    .select('after_runs')
    .where('data_flow_id', '=', flow.id)
    .orderBy('run_seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  const before = readAfterRuns(latest?.after_runs ?? null);
  return Object.entries(succeeded).every(
    ([name, runSeq]) => runSeq > (ownMember(before, name) ?? 0),
  );
}

function readAfterRuns(text: string | null): AfterRuns {
  // Only insertRun writes the column.
  return text === null ? {} : (JSON.parse(text) as AfterRuns);
}

async function insertRun(
  transaction: Transaction<Tables>,
  flow: FlowRow,
  { now, trigger, scheduledAt, principal }: ClaimRequest,
  succeeded: AfterRuns,
) {
  const runSeq = flow.last_run_seq + 1;
  await transaction
    .updateTable('data_flows')
    .set({ last_run_seq: runSeq, updated_at: now })
    .where('id', '=', flow.id)
    .execute();
  const run = await transaction
    .insertInto('data_flow_runs')
    .values({
      id: ulid(now.getTime()),
      data_flow_id: flow.id,
      run_seq: runSeq,
      status: 'pending',
      trigger,
      workflow_id: `flow/${flow.name}/${String(runSeq)}`,
      started_at: now,
      scheduled_at: scheduledAt ?? null,
      principal: principal === undefined ? null : plainText(principal),
      after_runs: Object.keys(succeeded).length > 0 ? writeJson(succeeded) : null,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return runRecord({ ...run, flow: flow.name });
}
