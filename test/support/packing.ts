import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Longest installation of the package: its own packages come from the cache or the registry. */
export const INSTALL_LIMIT_MS = 5 * 60_000;

/** The compiled part of `better-sqlite3`, in its folder. */
const SQLITE_BUILD = 'build/Release/better_sqlite3.node';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the package as it is built, which `npm test` does first. @returns the path of the tarball */
export async function packInto(dir: string): Promise<string> {
  const { filename } = await pack('--pack-destination', dir);
  return join(dir, filename);
}

/**
 * Lets `npm install` take the compiled part of `better-sqlite3` from this repository's own installation, in all folders below
 * one: by the file with which prebuild-install, its install script, is told where ready binaries are. That compares version,
 * platform and Node. So it is compiled once for each clone, by the `npm ci` before the tests, and not once more for each project,
 * which takes a minute or two wherever the ready binary cannot be downloaded. Does nothing where it is not compiled here.
 */
export async function offerSqliteBelow(dir: string): Promise<void> {
  const installed = join(ROOT, 'node_modules', 'better-sqlite3');
  if (!existsSync(join(installed, SQLITE_BUILD))) return;
  const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const { platform, arch, versions } = process;
  const name = `better-sqlite3-v${version}-node-v${versions.modules}-${platform}-${arch}.tar.gz`;
  await run('tar', ['-czf', join(dir, name), '-C', installed, SQLITE_BUILD]);
  await writeFile(join(dir, '.prebuild-installrc'), JSON.stringify({ 'local-prebuilds': dir }));
}

/** What the tarball holds: paths in the repository. */
export async function packedFiles(): Promise<readonly string[]> {
  return (await pack('--dry-run')).files.map(({ path }) => path);
}

async function pack(...args: readonly string[]): Promise<Packed> {
  // Its scripts would remove what other tests use, and build it again.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', ...args], {
    cwd: ROOT,
    maxBuffer: 10_000_000,
  });
  // npm's own format: one entry for each package.
  const [packed] = JSON.parse(stdout) as [Packed];
  return packed;
}
