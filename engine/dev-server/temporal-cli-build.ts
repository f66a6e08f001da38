import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runInstallProcess } from './install-process.js';
import type { Installation } from './installation.js';
import { createStagingDir, moveIntoCache, TEMPORAL_BINARY } from './temporal-cli-cache.js';
import { TEMPORAL_CLI_VERSION } from './temporal-cli-version.js';

const MODULE = 'github.com/temporalio/cli';
/** About 4 minutes on two cores with a fast module proxy. */
const BUILD_LIMIT_MS = 20 * 60_000;
const GO_VERSION_LIMIT_MS = 10_000;
const PROGRESS_MS = 5_000;

/**
 * Builds the CLI with the Go toolchain on the PATH, through Go's module proxy, and puts it into the cache.
 *
 * @returns the path of the binary in the cache.
 * @throws Error whose message says why there is none.
 */
export async function buildTemporalCli({
  cacheDir,
  env,
  onProgress,
  signal,
}: Installation): Promise<string> {
  const goVersion = await askGoVersion(env);
  const stagingDir = await createStagingDir(cacheDir);
  let reportMs = 0;
  try {
    await runInstallProcess({
      command: 'go',
      // The flags of the vendor's own releases: without them the binary says that its version is 0.0.0-DEV.
      args: [
        'install',
        `-ldflags=-s -w -X ${MODULE}/temporalcli.Version=${TEMPORAL_CLI_VERSION}`,
        `${MODULE}/cmd/temporal@v${TEMPORAL_CLI_VERSION}`,
      ],
      // go refuses GOBIN when GOOS or GOARCH name another machine than this one.
      env: { ...env, GOBIN: stagingDir, GOOS: undefined, GOARCH: undefined },
      cwd: stagingDir,
      limitMs: BUILD_LIMIT_MS,
      // The only one at which go removes its work folder.
      endWith: 'SIGINT',
      onTick: (elapsedMs) => {
        if (elapsedMs >= reportMs) {
          reportMs = elapsedMs + PROGRESS_MS;
          onProgress(
            `Building the Temporal CLI v${TEMPORAL_CLI_VERSION} with ${goVersion}: ${(elapsedMs / 1000).toFixed(0)} s so far ` +
              '(a few minutes, once per machine)',
          );
        }
        return Promise.resolve(undefined);
      },
      signal,
    });
    return await moveIntoCache(join(stagingDir, TEMPORAL_BINARY), cacheDir);
  } finally {
    await rm(stagingDir, { recursive: true, force: true });
  }
}

async function askGoVersion(env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('go', ['version'], {
      env,
      timeout: GO_VERSION_LIMIT_MS,
    });
    return /go\d\S*/.exec(stdout)?.[0] ?? 'go';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error('there is no `go` on the PATH', { cause: error });
    }
    throw error;
  }
}
