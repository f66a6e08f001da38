/** What became of a command. */
export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
  /** It ended with the code 0. */
  readonly success: boolean;
  readonly exitCode: number | undefined;
  /** As it was given. */
  readonly command: string;
}

/** How a command is run. */
export interface ShellOptions {
  readonly cwd?: string;
  /** Beside those of the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text for its standard input. */
  readonly input?: string;
  /** Longest time, in milliseconds; without it the body's own limit holds. */
  readonly timeoutMs?: number;
  /** Called with each line as it is written. */
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
}

/** Runs commands in a shell. */
export interface Shell {
  /** Runs a command to its end, whatever its exit code is. */
  run(command: string, options?: ShellOptions): Promise<ShellResult>;
  /**
   * Runs a command that has to succeed.
   *
   * @returns what it wrote to its standard output
   * @throws {@link ShellFailed}
   */
  runOrThrow(command: string, options?: ShellOptions): Promise<string>;
}

/** A command did not end with the code 0. */
export class ShellFailed extends Error {
  override readonly name = 'ShellFailed';
  constructor(readonly result: ShellResult) {
    const { command, exitCode, stderr } = result;
    const end =
      exitCode === undefined ? 'was ended by a signal' : `ended with the code ${String(exitCode)}`;
    const said = stderr.trim().slice(-1_000);
    super(`${command} ${end}${said === '' ? '.' : `: ${said}`}`);
  }
}
