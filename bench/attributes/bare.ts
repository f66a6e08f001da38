/** A bare loop: the same queries, the same sandbox, the same writes, and nothing that outlives the process. */
import { quickjsSandbox } from '../../adapters/sandbox/quickjs-sandbox.js';
import { answerParent } from '../measured-process.js';
import { claimedRun, computation } from './hand-written.js';
import type { AttributeResult, AttributeTask } from './task.js';

const BATCH = 200;

await answerParent(async ({ dir, entities }: AttributeTask): Promise<AttributeResult> => {
  const { catalog, run } = await claimedRun(dir, entities);
  const sandbox = quickjsSandbox();
  const compute = computation(catalog, sandbox);
  const { attributeRuns: runs } = catalog;
  // Starts the sandbox, as the first run of a worker does.
  await sandbox.run('return 1', [{ entityId: '', inputs: {}, value: null, meta: {} }]);
  const startedAt = performance.now();
  let position = await runs.position(run);
  for (;;) {
    const candidates = await runs.candidates(run, position.entityId, BATCH);
    if (candidates.length === 0) break;
    position = await runs.write(run, position, await compute(candidates), new Date());
  }
  const coldMs = performance.now() - startedAt;
  await sandbox.close();
  await catalog.close();
  return { entities: position.counts.processed, coldMs };
});
