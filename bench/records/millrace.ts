/** Millrace: a project with record pipelines, and its worker, as `millrace worker` has it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createWorker } from '../../worker/create-worker.js';
import { answerParent } from '../measured-process.js';
import type { RecordResult, RecordTask } from './task.js';
import { fillUsers } from './users.js';

const USERS = fileURLToPath(new URL('users.js', import.meta.url));
const DRAIN_USERS = fileURLToPath(new URL('drain-users.js', import.meta.url));

function pipelinesFile(task: RecordTask, warmUpDir: string): string {
  const { dir, versions, steps, concurrency, waitMs } = task;
  const code = JSON.stringify;
  const options = code({ steps, concurrency, waitMs });
  return `import { usersIn } from ${code(USERS)};
import { drainUsers } from ${code(DRAIN_USERS)};

export const store = usersIn(${code(dir)}, ${code(versions)});
export const measured = drainUsers('measured', store, ${options});
export const warmUpStore = usersIn(${code(warmUpDir)}, ${code(versions)});
export const warmUp = drainUsers('warm-up', warmUpStore, ${options});
`;
}

await answerParent(async (task: RecordTask): Promise<RecordResult> => {
  const { address } = task;
  const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-project-'));
  await mkdir(join(dir, 'records'));
  fillUsers(join(dir, 'warm-up'), 1);
  await writeFile(join(dir, 'records', 'users.ts'), pipelinesFile(task, join(dir, 'warm-up')));
  // Written as in production, one JSON line at a time; where the lines go is not what is measured.
  const log = pino(pino.destination(devNull));
  // The name of the folder is its own: so are the queue and the ids of its runs.
  const config = { asyncQueue: `bench-${dir}`, temporal: { address } };
  const worker = await createWorker({ dir, env: { TEMPORAL_ADDRESS: address }, log, config });
  const running = worker.run();
  const pipelines = worker.engine.recordPipelines;
  // A worker's first run loads what the others find there: with it, few records would show nothing else.
  await (await pipelines.run('warm-up')).handle.result();
  const startedAt = performance.now();
  const { handle } = await pipelines.run('measured');
  const { completed, failed } = await handle.result();
  const ms = performance.now() - startedAt;
  if (failed > 0) throw new Error(`${String(failed)} records have failed`);
  await worker.stop();
  await running;
  await rm(dir, { recursive: true });
  return { bodies: completed, ms };
});
