import { readdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { runInstallProcess } from './install-process.js';
import type { Installation } from './installation.js';
import { createStagingDir } from './temporal-cli-cache.js';

/** The vendor's host that `@temporalio/testing` asks for what it downloads. */
const DOWNLOAD_HOST = 'temporal.download';
const PROBE_LIMIT_MS = 5_000;
/** No byte for so long means that nothing will come. */
const STALL_LIMIT_MS = 8_000;
/** An archive has up to 60 MB. */
const DOWNLOAD_LIMIT_MS = 5 * 60_000;
const PROGRESS_MS = 3_000;

/**
 * The SDK downloads a server only in order to start it, and cannot be told to stop waiting. So it
 * does that in a process of its own, which can be ended; the binary stays in the given folder.
 */
const DOWNLOAD_SCRIPT = `
  const [testing, create, downloadDir, version] = process.argv.slice(1);
  const executable = { type: 'cached-download', downloadDir, version };
  require(testing).TestWorkflowEnvironment[create]({ server: { executable } })
    .then((environment) => environment.teardown())
    .then(() => process.exit(0), (error) => { console.error(String(error)); process.exit(1); });
`;

/** What the SDK is to download. */
export interface SdkDownload {
  /** The function of the SDK's that does. */
  readonly create: 'createLocal' | 'createTimeSkipping';
  /** As the SDK names it: `v1.5.1`, or `default`. */
  readonly version: string;
  /** For whoever waits: `the Temporal CLI v1.5.1`. */
  readonly what: string;
  /** Puts the binary to its place. @returns its path there */
  readonly keep: (binary: string) => Promise<string>;
}

/**
 * Downloads a server's binary as `@temporalio/testing` does, from the vendor's host or through the proxy that
 * the environment names.
 *
 * @returns what `keep` makes of it.
 * @throws Error whose message says why there is none. A host that does not answer costs at most
 *   about 9 seconds.
 */
export async function downloadBySdk(
  { cacheDir, env, onProgress, signal }: Installation,
  { create, version, what, keep }: SdkDownload,
): Promise<string> {
  const isProxied = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some(
    (name) => (env[name] ?? '') !== '',
  );
  // A proxy reaches hosts that we do not; then only the download itself can tell.
  if (!isProxied) await probe(DOWNLOAD_HOST);
  const stagingDir = await createStagingDir(cacheDir);
  try {
    const testing = createRequire(import.meta.url).resolve('@temporalio/testing');
    const watch = new DownloadWatch(stagingDir, what, onProgress);
    await runInstallProcess({
      command: process.execPath,
      args: ['-e', DOWNLOAD_SCRIPT, testing, create, stagingDir, version],
      env,
      cwd: stagingDir,
      limitMs: DOWNLOAD_LIMIT_MS,
      // The SDK catches the milder signals and waits for its work.
      endWith: 'SIGKILL',
      onTick: (elapsedMs) => watch.look(elapsedMs),
      signal,
    }).catch(async (error: unknown) => {
      // The SDK gives its server five seconds to start: on a slow machine the download may be all that worked.
      if ((await downloadedFile(stagingDir)) === undefined) throw error;
    });
    const binary = await downloadedFile(stagingDir);
    if (binary === undefined) throw new Error(`the SDK left no binary in ${stagingDir}`);
    return await keep(binary);
  } finally {
    await rm(stagingDir, { recursive: true, force: true });
  }
}

/** Follows the growth of the download, to report it and to notice when it stops. */
class DownloadWatch {
  private bytes = 0;
  private grownMs = 0;
  private reportMs = 0;

  constructor(
    private readonly stagingDir: string,
    private readonly what: string,
    private readonly onProgress: (message: string) => void,
  ) {}

  /** Gives the reason to give up, if there is one. */
  async look(elapsedMs: number): Promise<string | undefined> {
    const bytes = await totalSize(this.stagingDir);
    if (bytes > this.bytes) {
      this.bytes = bytes;
      this.grownMs = elapsedMs;
    }
    if (elapsedMs >= this.reportMs) {
      this.reportMs = elapsedMs + PROGRESS_MS;
      const megabytes = (bytes / 1e6).toFixed(0);
      this.onProgress(
        `Downloading ${this.what}: ${megabytes} MB unpacked after ${(elapsedMs / 1000).toFixed(0)} s`,
      );
    }
    if ((await downloadedFile(this.stagingDir)) !== undefined) return undefined;
    return elapsedMs - this.grownMs > STALL_LIMIT_MS
      ? `no data from ${DOWNLOAD_HOST} for ${String(STALL_LIMIT_MS / 1000)} s`
      : undefined;
  }
}

/** The SDK unpacks into `*.downloading` and renames when it is done. */
async function downloadedFile(dir: string): Promise<string | undefined> {
  const name = (await readdir(dir)).find((found) => !found.endsWith('.downloading'));
  return name === undefined ? undefined : join(dir, name);
}

async function totalSize(dir: string): Promise<number> {
  const sizes = (await readdir(dir)).map(async (name) =>
    stat(join(dir, name)).then(
      (found) => found.size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Opens and closes a connection, within seconds, whatever name resolution and the network do. */
async function probe(host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port: 443 });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`${host} does not answer within ${String(PROBE_LIMIT_MS / 1000)} s`));
    }, PROBE_LIMIT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`${host} cannot be reached (${error.message})`));
    });
  });
}
