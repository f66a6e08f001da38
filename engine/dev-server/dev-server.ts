import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DevServerStartFailed } from './dev-server-errors.js';
import { withFileLock } from './file-lock.js';
import { findFreePort } from './free-port.js';
import {
  serverArguments,
  serverEnvironment,
  type SearchAttributeTypeName,
} from './server-arguments.js';
import { ServerProcess, type ServerExit } from './server-process.js';
import { ServerRecordFile } from './server-record.js';
import { findTemporalCli, type TemporalCli, type TemporalCliOptions } from './temporal-cli.js';

/** Temporal's own default ports. */
const DEFAULT_PORT = 7233;
const DEFAULT_UI_PORT = 8233;
/** A port that was free can be taken before the server gets it; some of its own it takes by itself, and crashes where it cannot. */
const START_ATTEMPTS = 3;

/** What the dev server is to be like. Everything has a default. */
export interface DevServerOptions extends TemporalCliOptions {
  /** SQLite file that keeps all state; its folder is created. Absent: in memory, lost at the end. */
  readonly databaseFile?: string | undefined;
  /** Address to listen on; default 127.0.0.1. */
  readonly ip?: string | undefined;
  /** Preferred gRPC port, the next free one is taken where it is busy; default 7233; 0 means any. */
  readonly port?: number | undefined;
  /** Preferred port of the web UI, likewise; default 8233; false means no UI. */
  readonly uiPort?: number | false | undefined;
  /** Created where it does not exist; default `default`. */
  readonly namespace?: string | undefined;
  /** Gets the server's log (warnings and errors), appended. Absent: a temporary file, removed at the end. */
  readonly logFile?: string | undefined;
  /** Custom search attributes to register, by name. */
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeTypeName>> | undefined;
}

/** A running dev server. */
export interface DevServer {
  /** `host:port` of the gRPC frontend, as a Temporal client wants it. */
  readonly address: string;
  /** Address of the web UI; absent where it is off. */
  readonly uiUrl?: string;
  readonly namespace: string;
  readonly pid: number;
  /** Where the binary came from. */
  readonly cli: TemporalCli;
  readonly logFile: string;
  /** Resolves when the server has ended, for whatever reason; never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Ends the server within seconds; may be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts a Temporal dev server with settings tuned for speed and waits until it answers. The binary
 * is found, downloaded or built first, see {@link findTemporalCli}. The server ends with this
 * process at the latest. What runs on a database file goes on at the next start on that file.
 *
 * @throws DevServerUnavailable when there is no Temporal CLI and none can be had.
 * @throws DevServerStartFailed with the end of the server's log when it does not come up.
 * @throws DatabaseInUse when another running process has a server on the database file.
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const cli = await findTemporalCli(options);
  const databaseFile =
    options.databaseFile === undefined ? undefined : resolve(options.databaseFile);
  const record = databaseFile === undefined ? undefined : await claim(databaseFile, options);
  try {
    // One at a time: a port is free until a server has it, and two starts would choose the same one.
    const lockFile = join(
      tmpdir(),
      `millrace-dev-server-start-${String(process.getuid?.() ?? 0)}.lock`,
    );
    const start = (): Promise<DevServer> => startOnFreePort(cli, options, databaseFile, record);
    return await withFileLock(lockFile, start, { signal: options.signal });
  } catch (error) {
    await record?.remove();
    throw error;
  }
}

async function claim(databaseFile: string, options: DevServerOptions): Promise<ServerRecordFile> {
  await mkdir(dirname(databaseFile), { recursive: true });
  return ServerRecordFile.claim(databaseFile, (message) => options.onProgress?.(message));
}

async function startOnFreePort(
  cli: TemporalCli,
  options: DevServerOptions,
  databaseFile: string | undefined,
  record: ServerRecordFile | undefined,
): Promise<DevServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(cli, options, databaseFile, record);
    } catch (error) {
      const isWorthAnother =
        error instanceof DevServerStartFailed && error.mayPass && attempt < START_ATTEMPTS;
      if (!isWorthAnother) throw error;
    }
  }
}

async function startOnce(
  cli: TemporalCli,
  options: DevServerOptions,
  databaseFile: string | undefined,
  record: ServerRecordFile | undefined,
): Promise<DevServer> {
  const {
    ip = '127.0.0.1',
    namespace = 'default',
    searchAttributes = {},
    env = process.env,
  } = options;
  const port = await findFreePort(ip, options.port ?? DEFAULT_PORT);
  const uiPort =
    options.uiPort === false
      ? undefined
      : await findFreePort(ip, options.uiPort ?? DEFAULT_UI_PORT, [port]);
  const logFile =
    options.logFile ??
    join(tmpdir(), `millrace-dev-server-${String(process.pid)}-${String(port)}.log`);
  await mkdir(dirname(logFile), { recursive: true });
  const address = `${hostInUrl(ip)}:${String(port)}`;

  const server = await ServerProcess.start({
    executable: cli.path,
    args: serverArguments({ ip, port, uiPort, namespace, databaseFile, searchAttributes }),
    env: serverEnvironment(env),
    logFile,
    isLogTemporary: options.logFile === undefined,
  });
  try {
    await record?.noteServer(server.pid, address);
    await server.untilReady(address, namespace);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    address,
    ...(uiPort === undefined ? {} : { uiUrl: `http://${hostInUrl(ip)}:${String(uiPort)}` }),
    namespace,
    pid: server.pid,
    cli,
    logFile,
    exited: server.exited,
    stop: once(async () => {
      await server.stop();
      await record?.remove();
    }),
  };
}

/** A second removal could delete the record of a server that was started meanwhile. */
function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}

function hostInUrl(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}
