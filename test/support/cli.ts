import { spawn, type ChildProcess } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach } from '@jest/globals';

/** The built command line: `npm test` builds it first. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Longest wait for a process to say something or to end. */
const PATIENCE_MS = 30_000;

/** How a process is started. */
export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string;
  /** The command line of another installation. */
  readonly main?: string;
  /** Another program that gets the arguments, such as a shell. */
  readonly program?: string;
}

/** A process of the command line that goes on until it is stopped. */
export interface CliProcess {
  readonly pid: number;
  /** What it has written so far, both streams in the order of arrival. */
  readonly output: () => string;
  /** Waits until it has written something, and gives the match. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<CliResult>;
  readonly ended: Promise<CliResult>;
}

/** What a process left. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end. */
export async function cli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return collect(launch(args, options));
}

/** Starts a process of the command line, which the caller stops. */
export function startCli(args: readonly string[], options: CliOptions): CliProcess {
  return follow(launch(args, options));
}

/** Starts processes of the command line; those that still run after a test are killed. */
export function useCli(): (args: readonly string[], options: CliOptions) => CliProcess {
  const running = new Set<ChildProcess>();
  afterEach(async () => {
    for (const child of running) child.kill('SIGKILL');
    await Promise.all([...running].map((child) => over(child)));
    running.clear();
  });
  return (args, options) => {
    const child = launch(args, options);
    running.add(child);
    child.once('exit', () => running.delete(child));
    return follow(child);
  };
}

function launch(
  args: readonly string[],
  { cwd, env = {}, input, main = MAIN, program }: CliOptions,
): ChildProcess {
  const [file, given] =
    program === undefined ? [process.execPath, [main, ...args]] : [program, args];
  const child = spawn(file, given, {
    cwd,
    env: { ...cleanEnvironment(), ...env },
  });
  child.stdin.end(input ?? '');
  return child;
}

/** Without what the machine's own user has set for Temporal, and without colours. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      name === 'MILLRACE_TEMPORAL_CLI' ||
      !/^(?:TEMPORAL_|MILLRACE_|NODE_OPTIONS|FORCE_COLOR)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: '1',
    TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml',
  };
}

async function collect(child: ChildProcess): Promise<CliResult> {
  const [stdout, stderr] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    over(child),
  ]);
  return { code: child.exitCode, stdout, stderr };
}

async function over(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

function follow(child: ChildProcess): CliProcess {
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const ended = collect(child);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    says: async (pattern) => {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        if (Date.now() > deadline || child.exitCode !== null) {
          throw new Error(
            `the process did not say ${String(pattern)} (exit code ${String(child.exitCode)}). It said:\n${output}`,
          );
        }
        await delay(20);
      }
    },
    stop: async (signal = 'SIGINT') => {
      child.kill(signal);
      return ended;
    },
  };
}
