import { StoreUnusable } from '../../../src/record-store/errors.js';
import { guarded, openToRead, type Connection } from '../connection.js';

/**
 * Puts a version's content in the place of a database's, as one transaction: others that have it open see either.
 *
 * @throws {@link StoreUnusable} for a version that is damaged; the database is as it was then
 */
export async function restoreInto(database: string, version: string): Promise<void> {
  const source = openToRead(version);
  try {
    const [problem] = guarded(
      version,
      () => source.pragma('quick_check(1)') as readonly { readonly quick_check: string }[],
    );
    if (problem?.quick_check !== 'ok')
      throw new StoreUnusable(
        version,
        `is damaged (${problem?.quick_check ?? 'unreadable'}). Nothing was restored; choose another version.`,
      );
    await source.backup(database, { progress: () => 10_000 });
  } catch (error) {
    throw guardedError(database, error);
  } finally {
    source.close();
  }
}

/** A database that was a version is one no more. Done when it is opened, too: a crash may have come between. */
export function forgetVersion(db: Connection): void {
  db.exec('drop table if exists millrace_version');
}

function guardedError(file: string, error: unknown): unknown {
  try {
    return guarded(file, () => {
      throw error;
    });
  } catch (translated) {
    return translated;
  }
}
