import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { withFileLock } from '../../../engine/dev-server/file-lock.js';
import { identifyProcess } from '../../../engine/dev-server/process-identity.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

describe('a file lock', () => {
  const directory = useTemporaryDirectory();

  it('lets one in at a time and leaves nothing behind', async () => {
    const lockFile = join(directory.path, 'work.lock');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(50);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withFileLock(lockFile, work)));
    expect(most).toBe(1);
    expect(await readdir(directory.path)).toEqual([]);
  });

  it('is free again when the work fails', async () => {
    const lockFile = join(directory.path, 'work.lock');
    await expect(withFileLock(lockFile, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
    await expect(withFileLock(lockFile, () => Promise.resolve('done'))).resolves.toBe('done');
  });

  it('is taken over from a holder that was killed', async () => {
    const lockFile = join(directory.path, 'work.lock');
    const holder = spawn('sleep', ['60']);
    const identity = await identifyProcess(holder.pid ?? Number.NaN);
    await writeFile(lockFile, JSON.stringify({ host: hostname(), ...identity }));
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await expect(withFileLock(lockFile, () => Promise.resolve('done'))).resolves.toBe('done');
  });

  it('is waited for while its holder lives, until the wait is aborted', async () => {
    const lockFile = join(directory.path, 'work.lock');
    const waits: number[] = [];
    await withFileLock(lockFile, async () => {
      const second = withFileLock(lockFile, () => Promise.resolve('too early'), {
        onWait: (waitedMs) => waits.push(waitedMs),
        signal: AbortSignal.timeout(500),
      });
      await expect(second).rejects.toThrow();
    });
    expect(waits.length).toBeGreaterThan(1);
  });
});
