import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { FailedSource } from '../../engine/dev-server/dev-server-errors.js';
import { withFileLock } from '../../engine/dev-server/file-lock.js';
import { runInstallProcess } from '../../engine/dev-server/install-process.js';
import type { Installation } from '../../engine/dev-server/installation.js';
import { downloadBySdk } from '../../engine/dev-server/sdk-download.js';
import {
  createStagingDir,
  temporalCliCacheDir,
} from '../../engine/dev-server/temporal-cli-cache.js';
import { TimeSkippingServerUnavailable } from './time-skipping-errors.js';

/** The Maven artifact that is fetched where the vendor's host is out of reach. */
const ARTIFACT = { group: 'io.temporal', name: 'temporal-test-server', version: '1.38.0' } as const;

/** With dependencies it has 38 MB. */
const FETCH_LIMIT_MS = 5 * 60_000;

/** The program of a time-skipping server, to be followed by a port and its options. */
export interface TestServerProgram {
  readonly executable: string;
  readonly args: readonly string[];
}

/** How the program is looked for. */
export interface TestServerSearch {
  readonly env: NodeJS.ProcessEnv;
  /** Millrace's folder in the user's cache unless set. */
  readonly cacheDir?: string;
  readonly onProgress: (message: string) => void;
}

/** The program that somebody has named: an executable, or a classpath of Java. */
export function namedProgram(named: string): TestServerProgram {
  return /\*|\.jar\b/.test(named) ? onClasspath(named) : { executable: named, args: [] };
}

/**
 * The program of the time-skipping server: a cached one, the vendor's download, or the Maven artifact. The last two happen once per
 * machine, and under a lock.
 *
 * @throws {@link TimeSkippingServerUnavailable}
 */
export async function findTestServer({
  env,
  cacheDir = temporalCliCacheDir({}),
  onProgress,
}: TestServerSearch): Promise<TestServerProgram> {
  const cached = await cachedProgram(cacheDir);
  if (cached !== undefined) return cached;
  await mkdir(cacheDir, { recursive: true });
  return withFileLock(join(cacheDir, 'temporal-test-server.lock'), async () => {
    // Whoever held the lock before us has probably installed it.
    const again = await cachedProgram(cacheDir);
    return again ?? (await install({ cacheDir, env, onProgress }));
  });
}

async function install(installation: Installation): Promise<TestServerProgram> {
  const { cacheDir, onProgress } = installation;
  const tried: FailedSource[] = [];
  const sources: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["the vendor's download", () => download(installation)],
    [
      `Maven (${ARTIFACT.group}:${ARTIFACT.name}:${ARTIFACT.version})`,
      () => fetchArtifact(installation),
    ],
  ];
  for (const [source, get] of sources) {
    try {
      await get();
      const program = await cachedProgram(cacheDir);
      if (program !== undefined) return program;
    } catch (error) {
      const reason = reasonOf(error);
      tried.push({ source, reason });
      onProgress(`Time-skipping server: ${source} failed: ${reason}`);
    }
  }
  throw new TimeSkippingServerUnavailable(tried);
}

async function download(installation: Installation): Promise<string> {
  return downloadBySdk(installation, {
    create: 'createTimeSkipping',
    version: 'default',
    what: "Temporal's time-skipping server",
    keep: async (binary) => {
      const place = join(installation.cacheDir, ARTIFACT.name);
      await rename(binary, place);
      return place;
    },
  });
}

/** Fetches the artifact and what it needs, with the Maven that is set up on this machine. */
async function fetchArtifact({ cacheDir, env, onProgress, signal }: Installation): Promise<void> {
  const stagingDir = await createStagingDir(cacheDir);
  const common = { env, cwd: stagingDir, endWith: 'SIGTERM', signal } as const;
  try {
    await runInstallProcess({ ...common, command: 'java', args: ['-version'], limitMs: 20_000 });
    await writeFile(join(stagingDir, 'pom.xml'), pom());
    onProgress(`Fetching Temporal's time-skipping server ${ARTIFACT.version} with Maven (38 MB)`);
    const jars = join(stagingDir, 'jars');
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
    await runInstallProcess({
      ...common,
      command: 'mvn',
      args: ['--quiet', '--batch-mode', ...goal],
      limitMs: FETCH_LIMIT_MS,
    });
    await rename(jars, jarsDir(cacheDir));
  } finally {
    await rm(stagingDir, { recursive: true, force: true });
  }
}

function pom(): string {
  const { group, name, version } = ARTIFACT;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>time-skipping</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>
  </dependency></dependencies>
</project>
`;
}

async function cachedProgram(cacheDir: string): Promise<TestServerProgram | undefined> {
  const binary = join(cacheDir, ARTIFACT.name);
  const isThere = await access(binary).then(
    () => true,
    () => false,
  );
  if (isThere) return { executable: binary, args: [] };
  const jars = await readdir(jarsDir(cacheDir)).catch(() => []);
  return jars.some((file) => basename(file).startsWith(ARTIFACT.name))
    ? onClasspath(join(jarsDir(cacheDir), '*'))
    : undefined;
}

function jarsDir(cacheDir: string): string {
  return join(cacheDir, `${ARTIFACT.name}-${ARTIFACT.version}`);
}

function onClasspath(classpath: string): TestServerProgram {
  return { executable: 'java', args: ['-cp', classpath, 'io.temporal.testserver.TestServer'] };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const missing = 'code' in error && error.code === 'ENOENT' && 'path' in error;
  return missing ? `there is no \`${String(error.path)}\` on the PATH` : error.message;
}
