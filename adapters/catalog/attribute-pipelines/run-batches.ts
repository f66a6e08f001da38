import type { Transaction } from 'kysely';
import {
  RunFenceLost,
  type RunBatch,
  type RunCatalog,
  type RunPosition,
  type RunUsage,
} from '../../../src/attribute-pipeline/run-catalog.js';
import { MAX_RUN_WARNINGS } from '../../../src/attribute-pipeline/run.js';
import type { CatalogDatabase } from '../database.js';
import { isOneOf } from '../in-list.js';
import type { Tables } from '../tables.js';
import { plainText, writeJson } from '../values.js';
import { isComputed, writeComputed } from './computed-values.js';
import { forgetChanges, inParts, keepChanges } from './pending-changes.js';
import { writeUsage } from './usage-rows.js';
import { countsOf, findRun, RUN_COUNTERS, warningsOf, type RunRow } from './run-rows.js';

/** The part of the port that writes what a run comes to. */
export function runBatches(database: CatalogDatabase): Pick<RunCatalog, 'position' | 'write'> {
  return {
    position: (id) => database.read(async (db) => positionOf(await findRun(db, id))),
    write: (id, at, batch, now) =>
      database.write(async (transaction) => {
        const run = await findRun(transaction, id);
        const position = await advance(transaction, run, at, batch);
        const there = await existing(database, transaction, batch);
        await writeComputed(database, transaction, run, there.filter(isComputed), now);
        const looked = there.filter(({ outcome }) => outcome.kind !== 'failed');
        await forgetChanges(database, transaction, run.pipeline_id, looked);
        await writeFailures(transaction, run, there, now);
        await writeUsage(
          transaction,
          { pipelineId: run.pipeline_id, runId: run.id },
          batch.usage,
          now,
        );
        return position;
      }),
  };
}

const POSITION = [
  'position',
  'step',
  ...RUN_COUNTERS,
  'tokens_in',
  'tokens_out',
  'cost',
] as const satisfies readonly (keyof RunRow)[];

function positionOf(row: Pick<RunRow, (typeof POSITION)[number]>): RunPosition {
  const counts = countsOf(row);
  const { processed, failed, skipped, unchanged } = counts;
  return {
    entityId: row.position,
    step: row.step,
    seen: processed + failed + skipped + unchanged,
    counts,
    tokensIn: row.tokens_in,
    tokensOut: row.tokens_out,
    cost: row.cost,
  };
}

/** The fence: of two attempts that go on from one step, the second finds the run one step further. */
async function advance(
  transaction: Transaction<Tables>,
  run: RunRow,
  { step }: Pick<RunPosition, 'step'>,
  { outcomes, usage, warnings }: RunBatch,
): Promise<RunPosition> {
  const count = (...kinds: readonly string[]): number =>
    outcomes.filter(({ outcome }) => kinds.includes(outcome.kind)).length;
  const sum = (of: (one: RunUsage) => number | null): number =>
    usage.reduce((total, one) => total + (of(one) ?? 0), 0);
  const known = warningsOf(run);
  const all = [...new Set([...known, ...warnings.map(plainText)])].slice(0, MAX_RUN_WARNINGS);
  const hasCost = usage.some(({ cost }) => cost !== null);
  const advanced = await transaction
    .updateTable('pipeline_runs')
    .set((eb) => ({
      step: step + 1,
      position: outcomes.at(-1)?.entityId ?? run.position,
      entities_processed: eb('entities_processed', '+', count('computed')),
      entities_failed: eb('entities_failed', '+', count('failed')),
      entities_skipped: eb('entities_skipped', '+', count('skipped')),
      entities_unchanged: eb('entities_unchanged', '+', count('unchanged')),
      batches: eb('batches', '+', outcomes.length === 0 ? 0 : 1),
      ...(usage.length > 0 && {
        tokens_in: (run.tokens_in ?? 0) + sum(({ tokensIn }) => tokensIn),
        tokens_out: (run.tokens_out ?? 0) + sum(({ tokensOut }) => tokensOut),
      }),
      ...(hasCost && { cost: (run.cost ?? 0) + sum(({ cost }) => cost) }),
      ...(all.length > known.length && { warnings: writeJson(all) }),
    }))
    .where('id', '=', run.id)
    .where('status', '=', 'running')
    .where('step', '=', step)
    .returning(POSITION)
    .executeTakeFirst();
  if (advanced === undefined) throw new RunFenceLost(run.id, step);
  return positionOf(advanced);
}

/** Outcomes of entities that nobody has removed meanwhile; those are kept from it until this is written. */
async function existing(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  { outcomes }: RunBatch,
): Promise<RunBatch['outcomes']> {
  const ids = outcomes.map(({ entityId }) => entityId);
  const rows = await transaction
    .selectFrom('entities')
    .select('id')
    .where(isOneOf(database, 'entities.id', ids))
    .$if(database.locksRows, (query) => query.forKeyShare())
    .execute();
  const found = new Set(rows.map(({ id }) => id));
  return outcomes.filter(({ entityId }) => found.has(entityId));
}

/** Who has failed stays down for the pipeline: the next run tries again. */
async function writeFailures(
  transaction: Transaction<Tables>,
  run: RunRow,
  outcomes: RunBatch['outcomes'],
  now: Date,
): Promise<void> {
  const failures = outcomes.flatMap(({ entityId, outcome }) =>
    outcome.kind === 'failed'
      ? [
          {
            run_id: run.id,
            entity_id: entityId,
            module_class: outcome.module,
            message: plainText(outcome.message),
            at: now,
          },
        ]
      : [],
  );
  for (const part of inParts(failures))
    await transaction.insertInto('pipeline_run_failures').values(part).execute();
  const failed = failures.map(({ entity_id }) => entity_id);
  await keepChanges(transaction, run.pipeline_id, failed, now);
}
