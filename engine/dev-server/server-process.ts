import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { DevServerStartFailed } from './dev-server-errors.js';

/** A cold start takes about a second; a busy machine with a large database file may need several. */
const READY_LIMIT_MS = 30_000;
const READY_POLL_MS = 50;
const READY_ANSWER_LIMIT_MS = 2_000;
/** https://grpc.io/docs/guides/status-codes */
const GRPC_NOT_FOUND = 5;
/** A graceful end takes about one second. */
const STOP_LIMIT_MS = 5_000;
const LOG_FILE_LIMIT_BYTES = 10 * 1024 * 1024;

/** How the dev server's process is started. */
export interface ServerCommand {
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Gets everything that the server writes; appended to, emptied first when it is above 10 MiB. */
  readonly logFile: string;
  /** Removed when the server has ended. */
  readonly isLogTemporary: boolean;
}

/** How a server's process ended. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A dev server's process. It has a process group of its own, so that Ctrl-C in the terminal reaches
 * only us and we can shut down in order. A guard ends it when we die without a word.
 */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
    /** Resolves when the process has ended, for whatever reason; never rejects. */
    readonly exited: Promise<ServerExit>,
    private readonly command: ServerCommand,
    private readonly logStart: number,
  ) {}

  /**
   * Starts the process; it does not answer yet, see {@link ServerProcess.untilReady}.
   *
   * @throws DevServerStartFailed when the executable cannot be run.
   */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const logStart = await startOfLog(command.logFile);
    const log = await open(command.logFile, 'a');
    try {
      const child = spawn(command.executable, command.args, {
        env: command.env,
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
        windowsHide: true,
      });
      const exited = new Promise<ServerExit>((resolve) => {
        child.once('exit', (code, signal) => {
          resolve({ code, signal });
        });
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (error) => {
          reject(new DevServerStartFailed(command.executable, error.message, ''));
        });
      });
      if (child.pid === undefined)
        throw new DevServerStartFailed(command.executable, 'it has no process id', '');
      child.unref();
      guard(child.pid, command.isLogTemporary ? command.logFile : '', exited);
      return new ServerProcess(child, child.pid, exited, command, logStart);
    } finally {
      await log.close();
    }
  }

  /**
   * Waits until the server answers a request about the namespace.
   *
   * @throws DevServerStartFailed when the process ends first, or after 30 seconds (the process then still runs).
   */
  async untilReady(address: string, namespace: string): Promise<void> {
    const deadlineMs = Date.now() + READY_LIMIT_MS;
    let lastError = 'it did not answer';
    while (Date.now() < deadlineMs) {
      if (this.hasExited) return this.fail(`its process ended (${this.describeExit()})`);
      try {
        await askOnce(address, namespace);
        return;
      } catch (error) {
        lastError = error instanceof Error ? error.message : String(error);
      }
      await sleep(READY_POLL_MS);
    }
    return this.fail(
      `no answer at ${address} within ${String(READY_LIMIT_MS / 1000)} s (${lastError})`,
    );
  }

  /** Ends the server: SIGTERM, and SIGKILL after 5 seconds. Harmless when it has ended already. */
  async stop(): Promise<void> {
    await this.end();
    if (this.command.isLogTemporary) await rm(this.command.logFile, { force: true });
  }

  private async end(): Promise<void> {
    if (this.hasExited) return;
    this.child.ref();
    this.child.kill('SIGTERM');
    const timer = new AbortController();
    const isStopped = await Promise.race([
      this.exited.then(() => true),
      sleep(STOP_LIMIT_MS, false, { signal: timer.signal }).catch(() => false),
    ]);
    timer.abort();
    if (isStopped) return;
    this.child.kill('SIGKILL');
    await this.exited;
  }

  private get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private describeExit(): string {
    return this.child.signalCode ?? `exit code ${String(this.child.exitCode)}`;
  }

  private async fail(reason: string): Promise<never> {
    const written = await readFile(this.command.logFile);
    const log = written.subarray(this.logStart).toString('utf8').trim();
    throw new DevServerStartFailed(this.command.executable, reason, log);
  }
}

async function startOfLog(logFile: string): Promise<number> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= LOG_FILE_LIMIT_BYTES) return size;
  await truncate(logFile);
  return 0;
}

/**
 * Asks the frontend for the namespace, and the history service behind it for a run that does not exist.
 * The connection is a fresh one each time and has no retry interceptor: both would wait a second between attempts.
 */
async function askOnce(address: string, namespace: string): Promise<void> {
  const connection = Connection.lazy({
    address,
    interceptors: [],
    channelArgs: { 'grpc.enable_http_proxy': 0 },
  });
  const { workflowService } = connection;
  try {
    await connection.withDeadline(Date.now() + READY_ANSWER_LIMIT_MS, async () => {
      await workflowService.describeNamespace({ namespace });
      await workflowService
        .describeWorkflowExecution({ namespace, execution: { workflowId: 'millrace-ready' } })
        .catch((error: unknown) => {
          const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
          if (code !== GRPC_NOT_FOUND) throw error;
        });
    });
  } finally {
    await connection.close();
  }
}

/**
 * Waits for the end of our side of a pipe, which comes with our own end however we die; then ends
 * the server and removes its log if that is a temporary one.
 */
const GUARD_SCRIPT = `
  read -r _
  kill -TERM "$1"
  for second in 1 2 3 4 5; do
    sleep 1
    kill -0 "$1" || break
  done
  kill -KILL "$1"
  if [ -n "$2" ]; then rm -f "$2"; fi
`;

/**
 * Starts a shell that ends the server when we die. It goes as soon as the server does, so it never
 * signals an id that has been given to another process. Windows has no such shell: there a server
 * may outlive us.
 */
function guard(pid: number, temporaryLog: string, exited: Promise<ServerExit>): void {
  if (process.platform === 'win32') return;
  const shell = spawn(
    'sh',
    ['-c', GUARD_SCRIPT, 'millrace-dev-server-guard', String(pid), temporaryLog],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    },
  );
  shell.on('error', () => {
    // Without a shell there is no guard; nothing else depends on it.
  });
  shell.stdin.on('error', () => {
    // The shell has gone first.
  });
  shell.unref();
  void exited.then(() => shell.kill('SIGKILL'));
}
