import type { Installation } from './installation.js';
import { downloadBySdk } from './sdk-download.js';
import { moveIntoCache } from './temporal-cli-cache.js';
import { TEMPORAL_CLI_VERSION } from './temporal-cli-version.js';

/**
 * Downloads the CLI as `@temporalio/testing` does, and puts it into the cache.
 *
 * @returns the path of the binary in the cache.
 * @throws Error whose message says why there is none.
 */
export async function downloadTemporalCli(installation: Installation): Promise<string> {
  return downloadBySdk(installation, {
    create: 'createLocal',
    version: `v${TEMPORAL_CLI_VERSION}`,
    what: `the Temporal CLI v${TEMPORAL_CLI_VERSION}`,
    keep: (binary) => moveIntoCache(binary, installation.cacheDir),
  });
}
