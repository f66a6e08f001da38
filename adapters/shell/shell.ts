import { execa } from 'execa';
import {
  ShellFailed,
  type Shell,
  type ShellOptions,
  type ShellResult,
} from '../../src/record-pipeline/shell.js';

/** Most bytes of each stream: a command that writes more is ended. */
const MAX_OUTPUT_BYTES = 10 * 1024 * 1024;

/** A command that is to end is asked first, and ended after so long. */
const KILL_AFTER_MS = 5_000;

/**
 * A shell whose commands end, with all that they have started, when a signal is aborted.
 *
 * @param signal - without it commands go on until they end by themselves
 */
export function createShell(signal?: AbortSignal): Shell {
  const run = (command: string, options: ShellOptions = {}): Promise<ShellResult> =>
    runCommand(command, options, signal);
  return {
    run,
    runOrThrow: async (command, options) => {
      const result = await run(command, options);
      if (!result.success) throw new ShellFailed(result);
      return result.stdout;
    },
  };
}

/** Runs commands outside of pipelines. */
export const shell: Shell = createShell();

async function runCommand(
  command: string,
  { cwd, env, input, timeoutMs, onLine }: ShellOptions,
  signal: AbortSignal | undefined,
): Promise<ShellResult> {
  signal?.throwIfAborted();
  const child = execa(command, {
    shell: true,
    // A process group of its own: what the command starts ends with it.
    detached: process.platform !== 'win32',
    reject: false,
    maxBuffer: MAX_OUTPUT_BYTES,
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env: { ...env } }),
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  });
  const end = (): void => {
    endGroup(child);
  };
  const onLineOrEnd: ShellOptions['onLine'] = (stream, line) => {
    try {
      onLine?.(stream, line);
    } catch (error) {
      // Nobody takes what more it has to say.
      end();
      throw error;
    }
  };
  signal?.addEventListener('abort', end, { once: true });
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
  try {
    const lines =
      onLine === undefined
        ? []
        : [
            tell(child.iterable({ from: 'stdout' }), 'stdout', onLineOrEnd),
            tell(child.iterable({ from: 'stderr' }), 'stderr', onLineOrEnd),
          ];
    const [{ stdout, stderr, exitCode }] = await Promise.all([child, ...lines]);
    signal?.throwIfAborted();
    return {
      stdout,
      stderr,
      success: exitCode === 0,
      exitCode,
      command,
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

async function tell(
  lines: AsyncIterable<unknown>,
  stream: 'stdout' | 'stderr',
  onLine: NonNullable<ShellOptions['onLine']>,
): Promise<void> {
  for await (const line of lines) onLine(stream, String(line));
}

/** A command that is running. */
interface Running extends Promise<unknown> {
  readonly pid?: number | undefined;
  readonly kill: (signal: NodeJS.Signals) => boolean;
}

/** Ends a command with everything that it has started. */
function endGroup(child: Running): void {
  const { pid } = child;
  if (pid === undefined) return;
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (process.platform === 'win32') child.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  };
  kill('SIGTERM');
  const timer = setTimeout(kill, KILL_AFTER_MS, 'SIGKILL');
  void child.finally(() => {
    clearTimeout(timer);
  });
}
