import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { StoreBusy } from '../../../adapters/record-store/index.js';
import { async, defineRecordPipeline, step } from '../../../src/record-pipeline/record-pipeline.js';
import { drain } from '../../activities/record-pipeline/draining.js';
import { bundleProgram, type BundledProgram } from '../../support/bundled-program.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { until } from '../../support/until.js';
import { blogIn } from './blog-store.js';

let program: BundledProgram;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  program = await bundleProgram(join(import.meta.dirname, 'fixtures/other-process.ts'));
});

afterAll(() => program.remove());

// Before the hook that removes the folder.
afterEach(async () => {
  await Promise.all(
    [...running].map(async (child) => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }),
  );
  running.clear();
});

describe('a record store that other processes have open, too', () => {
  const folder = useTemporaryDirectory();
  const dir = (): string => join(folder.path, 'blog');

  /** Starts another process. @returns what ends it, and gives its last words */
  async function other(what: string): Promise<() => Promise<string>> {
    const child = spawn(process.execPath, [program.path, what, dir()], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    running.add(child);
    const ended = once(child, 'close');
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${String(child.exitCode)}`);
      return said.startsWith('ready') || undefined;
    }, 30_000);
    return async () => {
      child.stdin.end();
      await ended;
      running.delete(child);
      return said.replace('ready\n', '').trim();
    };
  }

  it('is made once, by whichever is first', async () => {
    const ends = await Promise.all(Array.from({ length: 6 }, () => other('writes')));
    const written = (await Promise.all(ends.map((end) => end()))).map(Number);
    const store = blogIn(dir());
    expect(store.author.count()).toBe(written.reduce((sum, count) => sum + count, 0));
    store.close();
    const db = new Sqlite(join(dir(), 'db.sqlite3'));
    expect(db.prepare('select count(*) from millrace_store').pluck().get()).toBe(1);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();
  });

  it('is drained while a script writes to it: what comes is worked on, what is changed is read again', async () => {
    const store = blogIn(dir());
    store.author.create({ name: 'Ann' });
    const end = await other('writes');
    const script = blogIn(dir());
    const { counts } = await drain(
      defineRecordPipeline(store, {
        name: 'read',
        processor: async({ concurrency: 4, enqueueSeconds: 0.01 }),
        steps: [
          step({
            label: 'age',
            records: (s) => s.author.where({ age: null }),
            each: async ({ record: author, store: s }) => {
              const isFirst = author.name === 'written 5';
              await Promise.resolve();
              // As a script that does not know of the run.
              if (isFirst && script.author.find(author.id).name === 'written 5')
                script.author.find(author.id).update({ name: 'renamed' });
              // Holds the run open until enough has come: nobody says how soon the other process gets to it.
              if (author.name === 'Ann') {
                await until(async () => script.author.count() >= 40 || undefined, 25_000);
                await end();
              }
              author.update({ age: s.author.where({ name: 'Ann' }).count() });
            },
          }),
        ],
      }),
    );
    expect(counts).toEqual({ completed: store.author.count(), failed: 0 });
    expect(store.author.where({ age: 1 }).count()).toBe(store.author.count());
    expect(store.author.where({ name: 'renamed', age: 1 }).count()).toBe(1);
    script.close();
    store.close();
  });

  it('is not restored while one of them runs a pipeline on it', async () => {
    const store = blogIn(dir());
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    const [version] = store.versions;
    const end = await other('runs');
    const refused = store.restore(version?.info.id ?? '');
    await expect(refused).rejects.toBeInstanceOf(StoreBusy);
    await expect(refused).rejects.toThrow(/the run run-of-another has been working on this store/);
    expect(store.versions).toHaveLength(1);
    await end();
    store.close();
  });

  it('is restored when one of them that is writing has ended, not as if it were', async () => {
    const store = blogIn(dir());
    await store.transaction(() => store.author.create({ name: 'Ann' }));
    store.author.create({ name: 'Bea' });
    const end = await other('locks');
    const restored = store.restore(store.versions[0] ?? '');
    // The lock is kept until the version of what is replaced is there.
    await until(async () => (store.versions.length === 2 ? true : undefined));
    await end();
    await restored;
    expect(store.author.pluck('name')).toEqual(['Ann']);
    store.close();
  });

  it.each(['writes', 'writes seldom'])(
    'loses nothing that one of them writes while it is restored, or is not restored (%s)',
    async (what) => {
      const store = blogIn(dir(), { versions: { afterTransactions: false } });
      store.author.create({ name: 'Ann' });
      const version = await store.snapshot();
      const end = await other(what);
      const replaced = await store.restore(version).catch((error: unknown) => error as Error);
      const written = Number(await end());
      const isRefused = replaced instanceof Error;
      const before = isRefused ? 0 : replaced.author.where({ id: { gt: 1 } }).count();
      // Each is in the version of what was replaced, or came after it.
      expect(store.author.where({ id: { gt: 1 } }).pluck('name')).toEqual(
        Array.from({ length: written - before }, (_, at) => `written ${String(before + at + 1)}`),
      );
      expect(store.versions).toHaveLength(isRefused ? 1 : 2);
      if (isRefused)
        expect(replaced.message).toMatch(
          /db\.sqlite3: is written to by others all the time\. Nothing was restored; stop/,
        );
      store.close();
    },
  );

  it('has no version that one of them did not live to make', async () => {
    const store = blogIn(dir());
    store.author.create({ name: 'Ann' });
    const end = await other('waits');
    const [child] = running;
    const maker = `${hostname()}-${String(child?.pid)}-1`;
    const part = join(dir(), 'versions', `2026-01-01T00-00-00.000Z.sqlite3.part-${maker}`);
    mkdirSync(join(dir(), 'versions'));
    writeFileSync(part, 'half of a version');
    const isThereWhenOpened = (): boolean => {
      store.close();
      expect(store.author.count()).toBe(1);
      expect(store.versions).toEqual([]);
      return existsSync(part);
    };
    expect(isThereWhenOpened()).toBe(true);
    await end();
    expect(isThereWhenOpened()).toBe(false);
    store.close();
  });
});
