import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Longest installation of the package: its own packages come from the cache or the registry. */
export const INSTALL_LIMIT_MS = 5 * 60_000;

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the package as it is built, which `npm test` does first. @returns the path of the tarball */
export async function packInto(dir: string): Promise<string> {
  const { filename } = await pack('--pack-destination', dir);
  return join(dir, filename);
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
