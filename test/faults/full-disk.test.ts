import { execFile } from 'node:child_process';
import { mkdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { config, post } from '../cli/fixtures.js';
import { useCli, type CliProcess } from '../support/cli.js';
import { COUNT_WORDS, WORD_REPORT, writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const run = promisify(execFile);

/** The folder that `millrace dev` keeps its state in, on a file system that is full soon. */
let state = '';

// Before the hook that removes the directory.
afterEach(async () => {
  // Lazily, since a process may still be about to end.
  await run('umount', ['--lazy', state]);
});

const dir = useTemporaryDirectory();
const start = useCli();

const DISK_MIB = 48;

beforeEach(async () => {
  await writeProject(dir.path, {
    'millrace.config.ts': config(),
    'operations/count-words.ts': COUNT_WORDS,
    'pipelines/word-report.yml': WORD_REPORT,
  });
  state = join(dir.path, '.millrace');
  await mkdir(state);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${String(DISK_MIB)}m`, 'tmpfs', state]).catch(
    (error: unknown) => {
      throw new Error(
        'this test needs a small disk, and may not make itself one: it mounts a tmpfs, which takes Linux and root. ' +
          `Run it as root, or in a user namespace: unshare --map-root-user --mount npm run test:faults. ${String(error)}`,
      );
    },
  );
});

/** Takes all the space that is left. */
async function fill(): Promise<void> {
  const { bavail, bsize } = await statfs(state);
  const filler = join(state, 'filler');
  await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(() => undefined);
  // The rounding's rest, so that not a page is free.
  for (let place = 0; ; place += 1) {
    try {
      await writeFile(`${filler}-${String(place)}`, Buffer.alloc(4_096));
    } catch {
      return;
    }
  }
}

async function free(): Promise<void> {
  await run('sh', ['-c', `rm -f "$1"/filler*`, 'free', state]);
}

async function startDev(): Promise<{ readonly process: CliProcess; readonly url: string }> {
  const process = start(['dev', '--port', '0', '--no-ui'], { cwd: dir.path });
  const [, url = ''] = await process.says(/HTTP\s+(http:\S+)/);
  await process.says(/Watching/);
  return { process, url };
}

async function report(url: string, text: string): Promise<{ status: number; body: unknown }> {
  return post(`${url}/pipelines/word-report`, { text });
}

describe('millrace dev on a full disk', () => {
  it('does not start, and says what and where', async () => {
    await fill();
    const ended = await start(['dev', '--port', '0', '--no-ui'], { cwd: dir.path }).ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /^error {2}The disk that holds \S+\/\.millrace is full \(\d+ KiB free\): .*ENOSPC/m,
    );
    expect(ended.stderr).toContain('Make room');
    expect(ended.stderr).not.toMatch(/unexpected error|\n\s+at /);

    await free();
    const { process: dev, url } = await startDev();
    expect((await report(url, 'a b')).body).toMatchObject({ result: { words: 2 } });
    await dev.stop();
  });

  it('that fills up while it runs answers with errors in time, and goes on when there is space', async () => {
    const { process: dev, url } = await startDev();
    const before = await report(url, 'one two three');
    expect(before.status).toBe(200);
    const { execution_id: id } = before.body as { execution_id: string };

    await fill();
    const statuses: number[] = [];
    for (let place = 0; place < 40 && !statuses.some((status) => status !== 200); place += 1) {
      const began = performance.now();
      const { status } = await report(url, `full ${'x'.repeat(100_000)}`);
      statuses.push(status);
      expect(performance.now() - began).toBeLessThan(30_000);
    }
    expect(statuses.at(-1)).toBe(503);
    const [line] = await dev.says(/^.*the disk is full: .*$/m);
    expect(JSON.parse(line)).toMatchObject({
      folder: state,
      free: expect.stringMatching(/^\d+ KiB$/),
    });

    await free();
    let after = await report(url, 'a b');
    for (let left = 30; after.status !== 200 && left > 0; left -= 1) {
      await delay(1_000);
      after = await report(url, 'a b').catch(() => after);
    }
    expect(after.body).toMatchObject({ result: { words: 2 } });
    await dev.says(/the disk has room again/);
    await dev.stop();

    const again = await startDev();
    const known = await fetch(`${again.url}/pipelines/word-report/executions/${id}`);
    expect(await known.json()).toMatchObject({ status: 'completed', result: { words: 3 } });
    expect((await report(again.url, 'c')).status).toBe(200);
    await again.process.stop();
  });
});
