import { spawn } from 'node:child_process';

const TICK_MS = 500;
const TAIL_CHARACTERS = 1_500;
/** A process that is told to end and does not is ended by force after this time. */
const KILL_AFTER_MS = 3_000;

/** A program that downloads or builds something. */
export interface InstallProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Ended when it has not finished by itself after this time. */
  readonly limitMs: number;
  /** Signal that ends it early; one that it does not heed is followed by SIGKILL. */
  readonly endWith: NodeJS.Signals;
  /** Called twice a second; a returned string ends the process for that reason. */
  readonly onTick?: (elapsedMs: number) => Promise<string | undefined>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end.
 *
 * @throws Error whose message says why it did not succeed: it cannot be run, its exit code with the
 *   end of what it wrote, the limit, or the reason of `onTick`.
 * @throws AbortError when the signal is aborted.
 */
export async function runInstallProcess(program: InstallProcess): Promise<void> {
  const { command, args, env, cwd, limitMs, endWith, onTick, signal } = program;
  const startedMs = Date.now();
  let tail = '';
  let endedBecause: string | undefined;

  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const child = spawn(command, args, {
    env,
    cwd,
    stdio,
    signal,
    killSignal: endWith,
    windowsHide: true,
  });
  const keepTail = (chunk: Buffer): void => {
    tail = (tail + chunk.toString('utf8')).slice(-TAIL_CHARACTERS);
  };
  child.stdout.on('data', keepTail);
  child.stderr.on('data', keepTail);

  const end = (reason: string): void => {
    if (endedBecause !== undefined) return;
    endedBecause = reason;
    child.kill(endWith);
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  };
  const tick = setInterval(() => {
    const elapsedMs = Date.now() - startedMs;
    if (elapsedMs > limitMs) end(`not finished after ${String(limitMs / 1000)} s`);
    else void onTick?.(elapsedMs).then((reason) => reason !== undefined && end(reason), String);
  }, TICK_MS);

  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (endedBecause !== undefined) throw new Error(endedBecause);
    if (code !== 0)
      throw new Error(`${command} ended with exit code ${String(code)}: ${tail.trim()}`);
  } finally {
    clearInterval(tick);
  }
}
