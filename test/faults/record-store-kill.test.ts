import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { bundleProgram, type BundledProgram } from '../support/bundled-program.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { tell } from './measurements.js';
import { fill, linesIn, migratedLinesIn, type LineStore } from './record-lines.js';

const LINES = 20_000;
const KILLS = 20;

const folder = useTemporaryDirectory();
const dir = (): string => join(folder.path, 'store');
let program: BundledProgram;

beforeAll(async () => {
  program = await bundleProgram(join(import.meta.dirname, 'fixtures/store-work.ts'));
});

afterAll(() => program.remove());

/** How long something takes that is not killed, in milliseconds from when it begins. */
async function work(what: string, version: string, killAfterMs?: number): Promise<number> {
  const child = spawn(process.execPath, [program.path, what, dir(), version], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  // Its first words.
  await once(child.stdout, 'data');
  const began = performance.now();
  child.stdout.resume();
  if (killAfterMs !== undefined) {
    await delay(killAfterMs);
    child.kill('SIGKILL');
  }
  const [code] = (await ended) as [number | null];
  if (killAfterMs === undefined) expect(code).toBe(0);
  return performance.now() - began;
}

/** What another tool sees in a database, when that has taken back what was not written to its end. */
function look<T>(database: string, see: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(database, { fileMustExist: true });
  try {
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    return see(db);
  } finally {
    db.close();
  }
}

/** The kinds of the lines that are in a database, with their counts. */
function kinds(database: string): unknown {
  const sql = "select substr(text, 1, 1) || ' ' || count(*) from lines group by substr(text, 1, 1)";
  return look(database, (db) => db.prepare(sql).pluck().all());
}

/** What the first line is of. */
function kindOf(of: Pick<LineStore, 'line'> | LineStore['versions'][number]): string | undefined {
  return of.line.first()?.text.slice(0, 1);
}

const of = (kind: string): readonly string[] => [`${kind} ${String(LINES)}`];
const current = (): string => join(dir(), 'db.sqlite3');

/** Moments at which to kill what takes so long: to shortly after its end. */
function moments(tookMs: number): readonly number[] {
  return Array.from({ length: KILLS }, (_, at) => tookMs * (0.4 + (1.2 * at) / KILLS));
}

/** Every file among the versions is one, and whole. */
function expectWholeVersions(): void {
  const store = linesIn(dir());
  // What was left of a version that was being made goes when the store is opened.
  store.line.count();
  const files = store.versions.map(({ info }) => info.file);
  store.close();
  for (const file of files) expect([of('a'), of('b')]).toContainEqual(kinds(file));
  expect(readdirSync(join(dir(), 'versions'))).toHaveLength(files.length);
}

describe('a process that is killed', () => {
  it('while it restores leaves the store old or new, and what was replaced as a version', async () => {
    const store = linesIn(dir());
    await fill(store, 'a', LINES);
    const a = (await store.snapshot()).info.id;
    await fill(store, 'b', LINES);
    const b = (await store.snapshot()).info.id;
    store.close();
    const tookMs = await work('restore', a);
    let kind: 'a' | 'b' = 'a';
    let replaced = 0;
    for (const ms of moments(tookMs)) {
      const wanted: 'a' | 'b' = kind === 'a' ? 'b' : 'a';
      const before = linesIn(dir());
      const versions = before.versions.map(({ info }) => info.id);
      // The oldest ones go: what is restored may be a version that was replaced before.
      const from = before.versions.find((version) => kindOf(version) === wanted)?.info.id ?? b;
      before.close();
      await work('restore', from, ms);
      expect([of('a'), of('b')]).toContainEqual(kinds(current()));
      expectWholeVersions();
      const after = linesIn(dir());
      if (kindOf(after) === wanted) {
        const saved = after.versions.find(
          ({ info }) => info.reason === 'before_restore' && !versions.includes(info.id),
        );
        expect(saved?.line.count()).toBe(LINES);
        expect(saved && kindOf(saved)).toBe(kind);
        replaced += 1;
        kind = wanted;
      }
      after.close();
    }
    tell('kills while restoring', {
      kills: KILLS,
      replaced,
      'restoring took ms': Math.round(tookMs),
    });
  });

  it('while it migrates leaves the tables as they were, or as all migrations have made them', async () => {
    const store = linesIn(dir());
    await fill(store, 'a', LINES);
    const { info } = await store.snapshot();
    store.close();
    const tookMs = await work('migrate', '');
    let migrated = 0;
    for (const ms of moments(tookMs)) {
      // As it was before: the code that made it takes no store of later code.
      await toUnmigrated(info.id);
      await work('migrate', '', ms);
      const names = look(current(), (db) =>
        db.prepare('select name from millrace_migrations order by rowid').pluck().all(),
      );
      const measured = look(current(), (db) =>
        db
          .prepare("select count(*) from sqlite_schema where name in ('measured', 'lines_by_text')")
          .pluck()
          .get(),
      );
      if (names.length === 1) expect(measured).toBe(0);
      else {
        migrated += 1;
        expect({ names, measured }).toEqual({
          names: ['table lines', 'add length', 'measure lines'],
          measured: 2,
        });
      }
      const after = migratedLinesIn(dir());
      expect(after.line.where('length = length(text)').count()).toBe(LINES);
      after.close();
    }
    tell('kills while migrating', {
      kills: KILLS,
      migrated,
      'migrating took ms': Math.round(tookMs),
    });
  });

  it('while it makes versions leaves those that are whole, and no others', async () => {
    const store = linesIn(dir());
    await fill(store, 'a', LINES);
    store.close();
    let made = 0;
    for (let at = 0; at < KILLS; at += 1) {
      await work('snapshot', '', 100 + Math.random() * 600);
      expectWholeVersions();
      const after = linesIn(dir());
      made = Math.max(made, after.versions.length);
      after.close();
    }
    expect(made).toBeGreaterThan(0);
  });
});

/** Puts the database from before the migrations in the place of the current one. */
async function toUnmigrated(version: string): Promise<void> {
  for (const end of ['', '-wal', '-shm', '-journal'])
    await rm(`${current()}${end}`, { force: true });
  await copyFile(join(dir(), 'versions', `${version}.sqlite3`), current());
}
