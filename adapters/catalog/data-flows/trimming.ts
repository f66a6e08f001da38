import type { Kysely } from 'kysely';
import type { DataFlowCatalog } from '../../../src/data-flow/catalog.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';

/** Most runs of one transaction: their rejections are removed with them, and others that write wait in SQLite. */
const RUNS_PER_REMOVAL = 100;

/** The part of the port that forgets. */
export function flowTrimming(
  database: CatalogDatabase,
): Pick<DataFlowCatalog, 'trimmable' | 'trim'> {
  return {
    trimmable: async (before) => {
      const { runs } = await database.read((db) =>
        oldRuns(db, before)
          .select(({ fn }) => fn.countAll<number>().as('runs'))
          .executeTakeFirstOrThrow(),
      );
      return runs;
    },
    trim: (before) => trim(database, before),
  };
}

async function trim(database: CatalogDatabase, before: Date): Promise<number> {
  for (let removed = 0; ;) {
    const count = await removeSome(database, before);
    removed += count;
    if (count < RUNS_PER_REMOVAL) return removed;
  }
}

/** Flows are not locked for it: of a run that is over nothing changes any more, and a newer one only makes more of them old. */
async function removeSome(database: CatalogDatabase, before: Date): Promise<number> {
  return database.write(async (transaction) => {
    const found = await oldRuns(transaction, before)
      .select('run.id')
      .orderBy('run.created_at')
      .limit(RUNS_PER_REMOVAL)
      .execute();
    if (found.length === 0) return 0;
    await transaction
      .deleteFrom('data_flow_runs')
      .where(
        'id',
        'in',
        found.map(({ id }) => id),
      )
      .execute();
    return found.length;
  });
}

/** Runs that ended before a time, and after which there is another run, and another success where it is one. */
function oldRuns(db: Kysely<Tables>, before: Date) {
  return db
    .selectFrom('data_flow_runs as run')
    .where('run.ended_at', '<', before)
    .where((run) =>
      run.exists(
        run
          .selectFrom('data_flow_runs as later')
          .select('later.id')
          .whereRef('later.data_flow_id', '=', 'run.data_flow_id')
          .whereRef('later.run_seq', '>', 'run.run_seq'),
      ),
    )
    .where((run) =>
      run.or([
        run('run.status', '!=', 'success'),
        run.exists(
          run
            .selectFrom('data_flow_runs as success')
            .select('success.id')
            .whereRef('success.data_flow_id', '=', 'run.data_flow_id')
            .whereRef('success.run_seq', '>', 'run.run_seq')
            .where('success.status', '=', 'success'),
        ),
      ]),
    );
}
