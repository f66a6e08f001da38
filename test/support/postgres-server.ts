import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { findFreePort } from '../../engine/dev-server/free-port.js';
import { findPostgresBinaries, runnableByAll, type PostgresBinaries } from './postgres-binaries.js';

const run = promisify(execFile);

const HOST = '127.0.0.1';
const READY_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;

/** A PostgreSQL server of the tests. It ends with this process at the latest. */
export interface PostgresServer {
  /** Of its database `postgres`, as a user that may do everything. */
  readonly url: string;
  /** Ends it, and with it every connection. */
  stop(): Promise<void>;
  /** Starts it again after {@link PostgresServer.stop}, on the same port and with the same data. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  dispose(): Promise<void>;
}

/** The user that the server runs as: none where we are not root, who it refuses to run as. */
interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Starts a PostgreSQL with an empty folder of its own.
 *
 * @throws Error that says for each PostgreSQL found here why it does not run
 */
export async function startPostgresServer(): Promise<PostgresServer> {
  const candidates = await findPostgresBinaries();
  const reasons: string[] = [];
  for (const binaries of candidates) {
    try {
      return await startWith(binaries);
    } catch (error) {
      reasons.push(`${binaries.from}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(reasons.join('; ') || 'no PostgreSQL is installed here (run npm ci)');
}

async function startWith(found: PostgresBinaries): Promise<PostgresServer> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
  const server = { stop: async (): Promise<void> => undefined };
  try {
    const user = await unprivilegedUser();
    const data = join(dir, 'data');
    await mkdir(data, { mode: 0o700 });
    if (user !== undefined) {
      await chmod(dir, 0o755);
      await chown(data, user.uid, user.gid);
    }
    const binaries =
      user === undefined ? found : await runnableByAll(found, join(dir, 'postgresql'));
    await run(
      join(binaries.dir, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
      { ...user, cwd: '/' },
    );
    const port = await findFreePort(HOST, 0);
    const url = `postgres://postgres@${HOST}:${String(port)}/postgres`;
    const start = async (): Promise<void> => {
      const started = await startProcess({ binaries, dir, data, port, user });
      server.stop = once(() => stopProcess(started));
      await untilReady(url, started, join(dir, 'log'));
    };
    await start();
    return {
      url,
      start,
      stop: () => server.stop(),
      restart: async () => {
        await server.stop();
        await start();
      },
      dispose: async () => {
        await server.stop();
        await rm(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= act());
}

/** PostgreSQL refuses to run as root, so root hands it to its own user where there is one, else to nobody. */
async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(
        ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
      );
      if (uid !== undefined && gid !== undefined) return { uid, gid };
    } catch {
      // There is no such user.
    }
  }
  throw new Error('it cannot run as root, and there is neither a user postgres nor nobody');
}

interface Running {
  readonly child: ChildProcess;
  readonly guard: ChildProcess;
  readonly exited: Promise<void>;
}

async function startProcess(server: {
  readonly binaries: PostgresBinaries;
  readonly dir: string;
  readonly data: string;
  readonly port: number;
  readonly user: User | undefined;
}): Promise<Running> {
  const log = await open(join(server.dir, 'log'), 'a');
  try {
    const child = spawn(
      join(server.binaries.dir, 'postgres'),
      ['-D', server.data, '-p', String(server.port), '-h', HOST, ...SETTINGS],
      // A process group of its own, so that Ctrl-C reaches only jest.
      { ...server.user, cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve();
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    return { child, exited, guard: guard(child, server.dir) };
  } finally {
    await log.close();
  }
}

/** Nothing that the tests keep outlives them, so nothing is forced to the disk. */
const SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'unix_socket_directories=',
  'shared_buffers=32MB',
  // Some test files at once, with a few pools each.
  'max_connections=200',
].flatMap((setting) => ['-c', setting]);

/** Ends the server, and removes its data, when this process dies without a word: then the shell's input ends. */
function guard(server: ChildProcess, dir: string): ChildProcess {
  const script = 'read -r _; kill -QUIT "$1" 2>/dev/null; sleep 1; rm -rf "$2"';
  const shell = spawn('sh', ['-c', script, 'millrace-postgres-guard', String(server.pid), dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => {
    // Without a shell there is no guard; nothing else depends on it.
  });
  shell.stdin.on('error', () => {
    // The shell has gone first.
  });
  shell.unref();
  return shell;
}

/** A fast shutdown: open connections are ended. */
async function stopProcess({ child, guard: shell, exited }: Running): Promise<void> {
  shell.kill('SIGKILL');
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGINT');
  const timer = new AbortController();
  await Promise.race([exited, sleep(STOP_LIMIT_MS, undefined, timer).catch(() => undefined)]);
  timer.abort();
  // Its children notice, and end as well.
  child.kill('SIGKILL');
  await exited;
}

async function untilReady(url: string, { child }: Running, logFile: string): Promise<void> {
  for (const deadline = Date.now() + READY_LIMIT_MS; ;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded || Date.now() > deadline) {
        const log = await readFile(logFile, 'utf8');
        throw new Error(`it does not start: ${log.slice(-2_000)}`, { cause: error });
      }
    }
    await sleep(20);
  }
}
