import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';

/** Folders of this process that are kept: the one in use, and the one before it, whose code may still be running. */
const KEPT = 2;

/**
 * Makes an empty folder for the compiled modules of a project: `<dir>/.millrace/build/<pid>-<ulid>`. A new one each time,
 * since a module that was imported once is never read again. Folders of processes that are gone are removed, as are
 * older ones of this process.
 */
export async function makeBuildFolder(dir: string): Promise<string> {
  const parent = join(dir, '.millrace', 'build');
  const folder = join(parent, `${String(process.pid)}-${ulid()}`);
  await mkdir(folder, { recursive: true });
  const others = (await readdir(parent)).filter((name) => join(parent, name) !== folder).sort();
  const own = others.filter((name) => ownerOf(name) === process.pid);
  const abandoned = others.filter((name) => !isAlive(ownerOf(name)));
  const removed = [...own.slice(0, Math.max(0, own.length - (KEPT - 1))), ...abandoned];
  await Promise.all(
    removed.map((name) => rm(join(parent, name), { recursive: true, force: true })),
  );
  return folder;
}

function ownerOf(name: string): number {
  return Number.parseInt(name, 10);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not allowed to signal it means that it exists.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
