/** Hand-written code without Temporal, errors of single records, versions or a record of anything: what the work itself takes. */
import { answerParent } from '../measured-process.js';
import { openUsers, statementsOf } from './hand-written.js';
import type { RecordResult, RecordTask } from './task.js';
import { STEP_COLUMNS } from './users.js';

await answerParent(({ dir, steps }: RecordTask): Promise<RecordResult> => {
  const database = openUsers(dir);
  const startedAt = performance.now();
  let bodies = 0;
  for (const column of STEP_COLUMNS.slice(0, steps)) {
    const { ids, change } = statementsOf(database, column);
    const write = database.transaction((batch: readonly number[]) => {
      for (const id of batch) change(id);
    });
    for (let batch = ids(0); batch.length > 0; batch = ids(batch.at(-1) ?? 0)) {
      write.immediate(batch);
      bodies += batch.length;
    }
  }
  const ms = performance.now() - startedAt;
  database.close();
  return Promise.resolve({ bodies, ms });
});
