import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { TEMPORAL_CLI_VERSION } from './temporal-cli-version.js';

const STAGING_PREFIX = 'installing-';
/** A folder that an interrupted installation has left is removed when it is older than any that may be in use. */
const STAGING_LIMIT_MS = 60 * 60_000;

/** File name of the CLI's binary on this platform. */
export const TEMPORAL_BINARY = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** The user's cache folder for Millrace, e.g. `~/.cache/millrace` on Linux. */
export function temporalCliCacheDir(options: { readonly cacheDir?: string | undefined }): string {
  return options.cacheDir ?? envPaths('millrace', { suffix: '' }).cache;
}

/** Where the binary of our version is kept, whether it is there or not. */
export function cachedTemporalCli(cacheDir: string): string {
  return join(cacheDir, `temporal-cli-${TEMPORAL_CLI_VERSION}`, TEMPORAL_BINARY);
}

/** Makes an empty folder in which to install, on the same file system as its final place. */
export async function createStagingDir(cacheDir: string): Promise<string> {
  await mkdir(cacheDir, { recursive: true });
  await removeAbandoned(cacheDir);
  return mkdtemp(join(cacheDir, STAGING_PREFIX));
}

/** Moves an installed binary to its place in one step: there is either a whole one or none. */
export async function moveIntoCache(binary: string, cacheDir: string): Promise<string> {
  const place = cachedTemporalCli(cacheDir);
  await mkdir(join(place, '..'), { recursive: true });
  // Windows does not rename onto a binary that runs; where there is one, it is as good as ours.
  await rename(binary, place).catch(async (error: unknown) => {
    await stat(place).catch(() => {
      throw error;
    });
  });
  return place;
}

async function removeAbandoned(cacheDir: string): Promise<void> {
  const names = (await readdir(cacheDir)).filter((name) => name.startsWith(STAGING_PREFIX));
  for (const name of names) {
    const dir = join(cacheDir, name);
    const { mtimeMs } = await stat(dir);
    if (Date.now() - mtimeMs > STAGING_LIMIT_MS) await rm(dir, { recursive: true, force: true });
  }
}
