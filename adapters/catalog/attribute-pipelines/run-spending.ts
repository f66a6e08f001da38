import type { Kysely } from 'kysely';
import type { RunCatalog, RunSpending } from '../../../src/attribute-pipeline/run-catalog.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { pipelineRow } from './pipeline-rows.js';
import { findRun, type RunRow } from './run-rows.js';

/** Runs that say what an entity costs. */
const RUNS_LOOKED_AT = 20;

/** The part of the port that says what may be spent. */
export function runSpending(
  database: CatalogDatabase,
): Pick<RunCatalog, 'spending' | 'daySpending'> {
  return {
    spending: (id, now) =>
      database.read(async (db) => {
        const run = await findRun(db, id);
        const { run_budget, day_budget } = run;
        const lefts: NonNullable<RunSpending['left']>[] = [];
        const add = (kind: 'run' | 'day', budget: number, spent: number): void => {
          lefts.push({ rest: budget - spent, budget: { kind, budget, spent } });
        };
        if (run_budget !== null) add('run', run_budget, run.cost ?? 0);
        if (day_budget !== null) add('day', day_budget, await spentToday(db, run.pipeline_id, now));
        const [left] = lefts.sort((one, other) => one.rest - other.rest);
        if (left === undefined) return { averageCost: null };
        return { left, averageCost: await averageCost(db, run) };
      }),
    daySpending: (place, now) =>
      database.read(async (db): Promise<RunSpending> => {
        const { id, day_budget: budget } = await pipelineRow(db, place);
        if (budget === null) return { averageCost: null };
        const spent = await spentToday(db, id, now);
        const left = { rest: budget - spent, budget: { kind: 'day', budget, spent } } as const;
        return { left, averageCost: await pastAverage(db, id) };
      }),
  };
}

async function spentToday(db: Kysely<Tables>, pipelineId: string, now: Date): Promise<number> {
  const { spent } = await db
    .selectFrom('pipeline_usage')
    .select((eb) => eb.fn.sum<number | null>('pipeline_usage.cost').as('spent'))
    .where('pipeline_usage.pipeline_id', '=', pipelineId)
    .where('pipeline_usage.day', '=', dayOf(now))
    .executeTakeFirstOrThrow();
  return spent ?? 0;
}

/** A day of UTC, as usage is kept by: `2026-11-26`. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

/** What an entity that was computed or has failed has cost: in this run where it has begun, else in those before it. */
async function averageCost(db: Kysely<Tables>, run: RunRow): Promise<number | null> {
  const worked = run.entities_processed + run.entities_failed;
  return worked > 0 ? (run.cost ?? 0) / worked : pastAverage(db, run.pipeline_id);
}

async function pastAverage(db: Kysely<Tables>, pipelineId: string): Promise<number | null> {
  const { cost, entities } = await pastCosts(db, pipelineId);
  return cost === null || entities === 0 ? null : cost / entities;
}

/** What the last runs of a pipeline that asked a model have taken together; null where none has. */
export async function pastCosts(db: Kysely<Tables>, pipelineId: string) {
  const rows = await db
    .selectFrom('pipeline_runs')
    .select(['cost', 'tokens_in', 'tokens_out', 'entities_processed', 'entities_failed'])
    .where('pipeline_id', '=', pipelineId)
    .where('tokens_in', 'is not', null)
    .orderBy('id', 'desc')
    .limit(RUNS_LOOKED_AT)
    .execute();
  const sum = (of: (row: (typeof rows)[number]) => number | null): number | null =>
    rows.every((row) => of(row) === null)
      ? null
      : rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  return {
    runs: rows.length,
    entities: sum((row) => row.entities_processed + row.entities_failed) ?? 0,
    tokensIn: sum((row) => row.tokens_in),
    tokensOut: sum((row) => row.tokens_out),
    cost: sum((row) => row.cost),
  };
}
