import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { StoreUnusable } from '../../adapters/record-store/index.js';
import { RunLog } from '../../adapters/record-store/run/run-log.js';
import { coreOf } from '../../adapters/record-store/define-store.js';
import { storeFailure } from '../../activities/record-pipeline/record-code.js';
import {
  async,
  defineRecordPipeline,
  step,
  sync,
} from '../../src/record-pipeline/record-pipeline.js';
import { drain } from '../activities/record-pipeline/draining.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { fill, linesIn, migratedLinesIn, type LineStore } from './record-lines.js';

const run = promisify(execFile);

/** A small file system of its own. */
let disk = '';

// Before the hook that removes the folder. Lazily, since something may still have a file open.
afterEach(() => run('umount', ['--lazy', disk]));

const folder = useTemporaryDirectory();

/** Puts a folder on a disk that is full soon. Takes Linux and root, as full-disk.test.ts does. */
async function smallDisk(place: string, mib: number): Promise<string> {
  disk = join(folder.path, place);
  await mkdir(disk, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${String(mib)}m`, 'tmpfs', disk]);
  return disk;
}

/** Takes all the space that is left, to the last page. */
async function fillUp(): Promise<void> {
  const { bavail, bsize } = await statfs(disk);
  await writeFile(join(disk, 'filler'), Buffer.alloc(bavail * bsize)).catch(() => undefined);
  for (let place = 0; ; place += 1) {
    try {
      await writeFile(join(disk, `filler-${String(place)}`), Buffer.alloc(4_096));
    } catch {
      return;
    }
  }
}

async function makeRoom(): Promise<void> {
  for (const name of await readdir(disk)) if (name.startsWith('filler')) await rm(join(disk, name));
  await run('mount', ['-o', 'remount,size=64m', disk]);
}

function expectWhole(database: string): void {
  const db = new Sqlite(database);
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  db.close();
}

/** Each line becomes longer, and one more is made of it: both or neither. */
function growing(store: LineStore, processor = async({ concurrency: 4, enqueueSeconds: 0.01 })) {
  return defineRecordPipeline(store, {
    name: 'growing',
    processor,
    onError: 'continue',
    steps: [
      step({
        label: 'grow',
        records: (s) => s.line.where('n > 0'),
        each: async ({ record: line, store: s }) => {
          s.line.create({ n: -line.n, text: 'y'.repeat(20_000) });
          await Promise.resolve();
          line.update({ n: -line.n, text: 'z'.repeat(20_000) });
          // What a body reads is looked up with its changes, which take room, too.
          s.line.where({ n: -line.n }).count();
        },
      }),
    ],
  });
}

const FULL =
  /: the disk is full\. Nothing of what was to be written is there; make room, and go on\./;

describe('a record store whose disk is full', () => {
  it.each([
    ['sync', sync()],
    ['async', async({ concurrency: 4, enqueueSeconds: 0.01 })],
  ] as const)(
    'writes whole bodies only, fails no record for it, and goes on when there is room (%s)',
    async (_kind, processor) => {
      const store = linesIn(await smallDisk('disk', 4));
      await fill(store, 'a', 200);
      const pipeline = growing(store, processor);
      const failed: unknown = await drain(pipeline, { run: 'run-1' }).catch(
        (error: unknown) => error,
      );
      expect(failed).toBeInstanceOf(StoreUnusable);
      expect((failed as Error).message).toMatch(FULL);
      expect((failed as Error).message).toContain(join(disk, 'db.sqlite3'));
      // The workflow tries it again.
      expect(storeFailure(failed)).toBe(failed);
      const runs = new RunLog(coreOf(store).live.db);
      const { completed = 0, failed: failures } = runs.find('run-1') ?? {};
      expect(failures).toBe(0);
      expect(completed).toBeLessThan(200);
      expect(store.line.where('length(text) = 20000').count()).toBe(2 * completed);
      expectWhole(join(disk, 'db.sqlite3'));

      await makeRoom();
      const { counts } = await drain(pipeline, { run: 'run-1' });
      expect(counts).toEqual({ completed: 200, failed: 0 });
      expect(store.line.where('length(text) = 20000').count()).toBe(400);
      store.close();
    },
  );

  it('makes no version, says so, and leaves nothing half; the records are there all the same', async () => {
    await smallDisk('store/versions', 2);
    const store = linesIn(join(folder.path, 'store'));
    await fill(store, 'a', 200);
    await fillUp();
    await expect(store.snapshot()).rejects.toThrow(
      /versions\/\S+\.sqlite3: no version could be made: the disk is full\./,
    );
    expect((await readdir(disk)).filter((name) => name.includes('.sqlite3'))).toEqual([]);
    expect(store.versions).toEqual([]);
    const { counts, warnings } = await drain(growing(store));
    expect(counts).toEqual({ completed: 200, failed: 0 });
    expect(warnings.join('\n')).toMatch(
      /no version could be made; the run goes on: .*the disk is full/,
    );
    await expect(store.restore('2026')).rejects.toThrow(/has no version "2026"/);
    await makeRoom();
    store.close();
  });

  it('says of a transaction that it was written, where its version could not be made', async () => {
    await smallDisk('store/versions', 1);
    const store = migratedLinesIn(join(folder.path, 'store'));
    store.line.create({ n: 1, text: 'x'.repeat(2_000_000) });
    store.close();
    const versioned = migratedLinesIn(join(folder.path, 'store'), true);
    await expect(
      versioned.transaction(() => versioned.line.create({ n: 2, text: '' })),
    ).rejects.toThrow(
      /db\.sqlite3: a transaction was written, but no version could be made after it: .*the disk is full/,
    );
    expect(versioned.line.pluck('n')).toEqual([1, 2]);
    versioned.close();
  });

  it('is not restored where there is no room for a copy: nothing is replaced', async () => {
    await smallDisk('store/versions', 8);
    const store = linesIn(join(folder.path, 'store'));
    await fill(store, 'a', 2_000);
    const version = await store.snapshot();
    await fill(store, 'b', 100);
    await fillUp();
    await expect(store.restore(version)).rejects.toThrow(FULL);
    expect(store.line.pluck('text').every((text) => text.startsWith('b'))).toBe(true);
    await makeRoom();
    await store.restore(version);
    expect(store.line.count()).toBe(2_000);
    store.close();
  });

  it('is migrated as a whole when there is room, and not at all before', async () => {
    const store = linesIn(await smallDisk('disk', 6));
    await fill(store, 'a', 2_000);
    store.close();
    await fillUp();
    expect(() => migratedLinesIn(disk).line.count()).toThrow(FULL);
    await makeRoom();
    expectWhole(join(disk, 'db.sqlite3'));
    const migrated = migratedLinesIn(disk);
    expect(migrated.line.where('length = length(text)').count()).toBe(2_000);
    migrated.close();
  });

  it('is not begun there', async () => {
    await smallDisk('disk', 1);
    await fillUp();
    expect(() => linesIn(join(disk, 'new')).line.count()).toThrow(FULL);
    await makeRoom();
    const store = linesIn(join(disk, 'new'));
    expect(store.line.count()).toBe(0);
    store.close();
  });
});

describe('a record store on a disk that is only to be read', () => {
  it('says so with its file; its versions can be looked at', async () => {
    const store = linesIn(await smallDisk('disk', 8));
    await fill(store, 'a', 10);
    await store.snapshot();
    store.close();
    await run('mount', ['-o', 'remount,ro', disk]);
    expect(() => store.line.count()).toThrow(
      /db\.sqlite3: cannot be (?:written to: check who owns it|opened: check)/,
    );
    const [version] = store.versions;
    expect(version?.line.count()).toBe(10);
    await expect(store.restore(version?.info.id ?? '')).rejects.toThrow(/cannot be/);
    store.close();
    await run('mount', ['-o', 'remount,rw', disk]);
    expect(store.line.count()).toBe(10);
    store.close();
  });
});
