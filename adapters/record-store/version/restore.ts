import { copyFile } from 'node:fs/promises';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreUnusable } from '../../../src/record-store/errors.js';
import type { Migrations } from '../../../src/record-store/migration.js';
import { guarded, guardedAsync, LOCKED, openCopy, openToRead } from '../connection.js';
import type { RecordModels } from '../record-model.js';
import { prepareSchema } from '../schema.js';
import { partFile } from './part-files.js';

/** Longest wait for others that write to the database. */
const PATIENCE_MS = 5_000;

/** Time between two looks whether they still do. */
const LOOK_MS = 20;

/** Pages that are copied before others get a turn. */
const PAGES = 10_000;

/** Ends a replacement before it has replaced anything. */
class WrittenMeanwhile extends Error {}

/** A version that is to become current. */
export interface RestoreParts {
  readonly version: string;
  /** Where the copy is made. */
  readonly folder: string;
  readonly models: RecordModels;
  readonly migrations: Migrations;
}

/**
 * Makes a copy of a version that is as the code wants a database to be: what cannot be restored is found before anything is
 * replaced.
 *
 * @returns its file, which the caller removes
 * @throws {@link StoreUnusable} for a version that is damaged, or that migrations cannot bring to what the code says
 */
export async function copyToRestore(parts: RestoreParts, now: Date): Promise<string> {
  const { version, folder, models, migrations } = parts;
  checkWhole(version);
  const copy = partFile(folder, 'restored');
  try {
    await guardedAsync(copy, () => copyFile(version, copy));
    const db = openCopy(copy);
    try {
      prepareSchema({ db, file: version, models, migrations }, now);
    } finally {
      db.close();
    }
    return copy;
  } catch (error) {
    removeCopy(copy);
    throw error;
  }
}

/** Removes a copy, and what SQLite has put beside it. */
export function removeCopy(copy: string): void {
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${copy}${end}`, { force: true });
}

/**
 * Has a copy know what is no state of the records: which store it is, the runs that have worked on it, and the ids that were
 * given away.
 */
export function keepHistory(copy: string, database: string): void {
  const db = openCopy(copy);
  try {
    guarded(copy, () => {
      db.prepare('attach ? as replaced').run(database);
      db.exec(`
        begin;
        delete from main.millrace_passes;
        delete from main.millrace_store;
        insert into main.millrace_store select * from replaced.millrace_store;
        delete from main.millrace_runs;
        insert into main.millrace_runs select * from replaced.millrace_runs;
        delete from main.millrace_failures;
        insert into main.millrace_failures select * from replaced.millrace_failures;
        insert into main.millrace_ids select * from replaced.millrace_ids where true
          on conflict do update set next = max(next, excluded.next);
        commit;
      `);
    });
  } finally {
    db.close();
  }
}

/**
 * Puts a copy's content in the place of a database's, as one transaction: others that have it open see either.
 *
 * @param isAsBefore - asked when nobody else can write any more; where it says no, nothing is replaced
 * @returns whether it was replaced
 * @throws {@link StoreUnusable}; the database is as it was then
 */
export async function replaceContent(
  database: string,
  copy: string,
  isAsBefore: () => boolean,
): Promise<boolean> {
  const source = openToRead(copy);
  let isLocked = false;
  const progress = (): number => {
    if (!isLocked && !isAsBefore()) throw new WrittenMeanwhile();
    isLocked = true;
    return PAGES;
  };
  try {
    for (const until = Date.now() + PATIENCE_MS; ;) {
      const { totalPages } = await source.backup(database, { progress });
      if (totalPages > 0) return true;
      // Nothing was copied: somebody else writes to it.
      if (Date.now() > until) throw new StoreUnusable(database, LOCKED);
      await delay(LOOK_MS);
    }
  } catch (error) {
    if (error instanceof WrittenMeanwhile) return false;
    return guarded(database, () => {
      throw error;
    });
  } finally {
    source.close();
  }
}

/** Puts a copy where there is no database any more. What SQLite has left beside that is kept under another name. */
export function putInPlace(copy: string, database: string, now: Date): void {
  guarded(database, () => {
    const since = now.toISOString().replaceAll(':', '-');
    for (const end of ['-wal', '-shm', '-journal'])
      if (existsSync(`${database}${end}`))
        renameSync(`${database}${end}`, `${database}.lost-${since}${end}`);
    renameSync(copy, database);
  });
}

function checkWhole(version: string): void {
  const source = openToRead(version);
  try {
    const [problem] = guarded(
      version,
      () => source.pragma('quick_check(1)') as readonly { readonly quick_check: string }[],
    );
    if (problem?.quick_check === 'ok') return;
    throw new StoreUnusable(
      version,
      `is damaged (${problem?.quick_check ?? 'unreadable'}). Nothing was restored; choose another version.`,
    );
  } finally {
    source.close();
  }
}
