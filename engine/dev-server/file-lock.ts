import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { identifyProcess, processState } from './process-identity.js';

const POLL_MS = 200;
/** Longer than anything that is done under a lock may take; an older lock of another machine is ignored. */
const LONGEST_HOLD_MS = 30 * 60_000;

const holderSchema = z.object({
  host: z.string(),
  pid: z.number().int(),
  started: z.string().nullable(),
});

/** What to do while somebody else holds the lock. */
export interface FileLockOptions {
  /** Called about five times a second with the milliseconds waited so far. */
  readonly onWait?: ((waitedMs: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` while no other process runs anything under the same lock file. A lock whose holder has
 * died is taken over at once. Two processes that take over one dead lock in the same instant may both
 * get in: whatever is done under the lock must end in an atomic step of its own.
 *
 * @throws the signal's reason when it is aborted while waiting; whatever `work` throws.
 */
export async function withFileLock<T>(
  lockFile: string,
  work: () => Promise<T>,
  options: FileLockOptions = {},
): Promise<T> {
  const startedMs = Date.now();
  while (!(await tryLock(lockFile))) {
    options.onWait?.(Date.now() - startedMs);
    if (await isAbandoned(lockFile)) await rm(lockFile, { force: true });
    else await sleep(POLL_MS, undefined, { signal: options.signal });
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

/** Linking a finished file into place makes the lock appear together with its content. */
async function tryLock(lockFile: string): Promise<boolean> {
  const draft = `${lockFile}.${String(process.pid)}.${Math.random().toString(36).slice(2)}`;
  await writeFile(
    draft,
    JSON.stringify({ host: hostname(), ...(await identifyProcess(process.pid)) }),
  );
  try {
    await link(draft, lockFile);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isAbandoned(lockFile: string): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(lockFile, 'utf8'), stat(lockFile)]);
    if (Date.now() - mtimeMs > LONGEST_HOLD_MS) return true;
    const holder = holderSchema.parse(JSON.parse(text));
    return holder.host === hostname() && (await processState(holder)) === 'gone';
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return !isGone;
  }
}
