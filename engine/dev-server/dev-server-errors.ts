import { TEMPORAL_CLI_VERSION } from './temporal-cli-version.js';

/** One place where the Temporal CLI was looked for, and why it could not be had from there. */
export interface FailedSource {
  /** The place, as a person would name it, e.g. `temporal on the PATH`. */
  readonly source: string;
  readonly reason: string;
}

/**
 * No Temporal CLI could be found, downloaded or built, so no embedded dev server can be started.
 * `tried` lists every source in the order in which it was asked.
 */
export class DevServerUnavailable extends Error {
  override readonly name = 'DevServerUnavailable';

  constructor(readonly tried: readonly FailedSource[]) {
    super(
      [
        'No Temporal server can be started: there is no usable Temporal CLI on this machine.',
        'Tried:',
        ...tried.map(({ source, reason }) => `  - ${source}: ${reason}`),
        'Choose one:',
        '  - set TEMPORAL_ADDRESS (or write a temporal.toml) to use a Temporal server that already runs;',
        '  - install the Temporal CLI (https://docs.temporal.io/cli#install) so that `temporal` is on the PATH,',
        '    or set MILLRACE_TEMPORAL_CLI to the path of its binary;',
        `  - install Go (https://go.dev/dl): the CLI v${TEMPORAL_CLI_VERSION} is then built once, in a few minutes.`,
      ].join('\n'),
    );
  }
}

/** The dev server's process could not be started, ended early, or did not answer in time. */
export class DevServerStartFailed extends Error {
  override readonly name = 'DevServerStartFailed';

  /** True when another start may succeed: one of its ports was taken meanwhile, or it has crashed. */
  readonly mayPass: boolean;

  /** What tells most of what the server wrote, possibly empty. */
  readonly logTail: string;

  constructor(
    readonly executable: string,
    readonly reason: string,
    /** All that the server wrote since it was started. */
    log: string,
  ) {
    const logTail = tellingPart(log);
    const said = logTail === '' ? 'It wrote nothing.' : `The end of its log:\n${logTail}`;
    super(`The Temporal dev server (${executable}) did not start: ${reason}. ${said}`);
    this.logTail = logTail;
    this.mayPass = CRASH.test(log) || /address already in use|can't set .*port/i.test(log);
  }
}

const LOG_TAIL_CHARACTERS = 4_000;

/** How a program in Go says that it has crashed. */
const CRASH = /^(?:panic|fatal error): /m;

/** The end of a log; of a crash its beginning, where the reason is, and not the stack, which is longer than this. */
function tellingPart(log: string): string {
  const crash = log.search(CRASH);
  return crash === -1
    ? log.slice(-LOG_TAIL_CHARACTERS)
    : log.slice(crash, crash + LOG_TAIL_CHARACTERS);
}

/** Another process that is still running has started a dev server on the same database file. */
export class DatabaseInUse extends Error {
  override readonly name = 'DatabaseInUse';

  constructor(
    readonly databaseFile: string,
    /** The process that started the other server. */
    readonly ownerPid: number,
    /** Where the other server answers; absent while it is starting. */
    readonly address: string | undefined,
    readonly recordFile: string,
  ) {
    super(
      `${databaseFile} is in use by the dev server of process ${String(ownerPid)}` +
        `${address === undefined ? '' : ` at ${address}`}. ` +
        `Stop that process, or use its server by setting TEMPORAL_ADDRESS${address === undefined ? '' : `=${address}`}. ` +
        `If process ${String(ownerPid)} is something else, remove ${recordFile}.`,
    );
  }
}
