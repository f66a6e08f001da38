import { execFile } from 'node:child_process';
import { access, constants, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { DevServerUnavailable, type FailedSource } from './dev-server-errors.js';
import { withFileLock } from './file-lock.js';
import { buildTemporalCli } from './temporal-cli-build.js';
import { cachedTemporalCli, TEMPORAL_BINARY, temporalCliCacheDir } from './temporal-cli-cache.js';
import { downloadTemporalCli } from './temporal-cli-download.js';
import { TEMPORAL_CLI_VERSION } from './temporal-cli-version.js';

/** The binary has a quarter of a gigabyte: its first start from a slow disk takes a while. */
const VERSION_LIMIT_MS = 20_000;
const WAIT_PROGRESS_MS = 5_000;

/** Where a Temporal CLI came from. */
export type TemporalCliSource = 'explicit' | 'path' | 'cache' | 'download' | 'go-install';

/** A Temporal CLI that runs on this machine. */
export interface TemporalCli {
  /** Path of the binary. */
  readonly path: string;
  readonly source: TemporalCliSource;
  /** What it says about its version, e.g. `1.5.1 (Server 1.29.1, UI 2.42.1)`. */
  readonly version: string;
}

/** Where to look for the Temporal CLI. */
export interface TemporalCliOptions {
  /** Path of the binary to use, and no other; default: the environment's `MILLRACE_TEMPORAL_CLI`. */
  readonly executable?: string | undefined;
  /** Environment to look in (PATH, MILLRACE_TEMPORAL_CLI, proxy and Go settings); default: this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Folder in which a downloaded or built binary is kept; default: Millrace's folder in the user's cache. */
  readonly cacheDir?: string | undefined;
  /** Called with a sentence for a person whenever something that takes long begins, goes on or fails. */
  readonly onProgress?: ((message: string) => void) | undefined;
  /** Ends the search, a download or a build. */
  readonly signal?: AbortSignal | undefined;
}

/** A way to get the binary; gives its path or throws an error whose message says why there is none. */
interface Source {
  readonly name: string;
  readonly source: TemporalCliSource;
  readonly locate: () => Promise<string> | string;
}

/**
 * Finds the Temporal CLI: the explicitly named one, `temporal` on the PATH, the cached one, the
 * download that `@temporalio/testing` does, or `go install`. The last two happen once per machine
 * and under a lock, so that two processes do not do the same work twice. A host that does not answer
 * costs seconds; a build takes a few minutes.
 *
 * @throws DevServerUnavailable with every source that was tried; where a binary was named
 *   explicitly, only that one is tried.
 * @throws the signal's reason when it is aborted.
 */
export async function findTemporalCli(options: TemporalCliOptions = {}): Promise<TemporalCli> {
  const { env = process.env } = options;
  const cacheDir = temporalCliCacheDir(options);
  const tried: FailedSource[] = [];

  const named = explicitSource(options, env);
  const found = await firstUsable(
    named === undefined ? localSources(cacheDir, env) : [named],
    env,
    options,
    tried,
  );
  if (found !== undefined) return found;
  if (named !== undefined) throw new DevServerUnavailable(tried);

  await mkdir(cacheDir, { recursive: true });
  const lockFile = join(cacheDir, `temporal-cli-${TEMPORAL_CLI_VERSION}.lock`);
  const installed = await withFileLock(lockFile, () => install(cacheDir, env, options, tried), {
    onWait: everyFewSeconds((seconds) =>
      options.onProgress?.(
        `Another process is installing the Temporal CLI; waiting for it since ${seconds} s`,
      ),
    ),
    signal: options.signal,
  });
  if (installed === undefined) throw new DevServerUnavailable(tried);
  return installed;
}

function explicitSource(options: TemporalCliOptions, env: NodeJS.ProcessEnv): Source | undefined {
  if (options.executable !== undefined) {
    const { executable } = options;
    return {
      name: `the given executable ${executable}`,
      source: 'explicit',
      locate: () => executable,
    };
  }
  const fromEnv = env['MILLRACE_TEMPORAL_CLI'];
  if (fromEnv === undefined || fromEnv === '') return undefined;
  return { name: `MILLRACE_TEMPORAL_CLI=${fromEnv}`, source: 'explicit', locate: () => fromEnv };
}

function localSources(cacheDir: string, env: NodeJS.ProcessEnv): readonly Source[] {
  return [
    { name: '`temporal` on the PATH', source: 'path', locate: () => locateOnPath(env) },
    cacheSource(cacheDir),
  ];
}

async function locateOnPath(env: NodeJS.ProcessEnv): Promise<string> {
  for (const dir of (env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '')) {
    const path = join(dir, TEMPORAL_BINARY);
    const isExecutable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return path;
  }
  throw new Error('not found');
}

function cacheSource(cacheDir: string): Source {
  const path = cachedTemporalCli(cacheDir);
  return { name: `the cache (${path})`, source: 'cache', locate: () => path };
}

async function install(
  cacheDir: string,
  env: NodeJS.ProcessEnv,
  options: TemporalCliOptions,
  tried: FailedSource[],
): Promise<TemporalCli | undefined> {
  const how = {
    cacheDir,
    env,
    onProgress: (message: string) => options.onProgress?.(message),
    signal: options.signal,
  };
  // Whoever held the lock before us has probably installed it; its absence was noted already.
  const again = await firstUsable([cacheSource(cacheDir)], env, {}, []);
  if (again !== undefined) return again;
  const sources: readonly Source[] = [
    {
      name: `the download of v${TEMPORAL_CLI_VERSION}`,
      source: 'download',
      locate: () => downloadTemporalCli(how),
    },
    {
      name: `go install of v${TEMPORAL_CLI_VERSION}`,
      source: 'go-install',
      locate: () => buildTemporalCli(how),
    },
  ];
  return firstUsable(sources, env, options, tried);
}

async function firstUsable(
  sources: readonly Source[],
  env: NodeJS.ProcessEnv,
  { signal, onProgress }: TemporalCliOptions,
  tried: FailedSource[],
): Promise<TemporalCli | undefined> {
  for (const { name, source, locate } of sources) {
    signal?.throwIfAborted();
    try {
      const path = await locate();
      return { path, source, version: await askVersion(path, env) };
    } catch (error) {
      signal?.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      tried.push({ source: name, reason });
      if (source === 'download' || source === 'go-install')
        onProgress?.(`Temporal CLI: ${name} failed: ${reason}`);
    }
  }
  return undefined;
}

/** Runs the binary: a file that is broken, built for another machine or another program altogether is no use. */
async function askVersion(path: string, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], {
      env,
      timeout: VERSION_LIMIT_MS,
    });
    const version = /^temporal version (.+)$/m.exec(stdout)?.[1];
    if (version === undefined)
      throw new Error(
        `not the Temporal CLI: \`--version\` says ${JSON.stringify(stdout.slice(0, 80))}`,
      );
    return version;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new Error('not found', { cause: error });
    throw error;
  }
}

function everyFewSeconds(report: (seconds: string) => void): (elapsedMs: number) => void {
  let nextMs = 0;
  return (elapsedMs) => {
    if (elapsedMs < nextMs) return;
    nextMs = elapsedMs + WAIT_PROGRESS_MS;
    report((elapsedMs / 1000).toFixed(0));
  };
}
