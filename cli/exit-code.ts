/** What the commands' exit codes mean. `millrace --help` lists them. */
export const EXIT = {
  ok: 0,
  /** The run ended without a result, definitions are wrong, or a process could not do its work. */
  failed: 1,
  /** The command line or the input is wrong, or names what does not exist. */
  usage: 2,
  /** No Temporal server can be reached or started. */
  temporal: 3,
  /** A mistake of ours (EX_SOFTWARE of sysexits.h). */
  unexpected: 70,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

/** The command line asks for something that is not possible. The message is all that the person gets to see. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The definitions of a project are wrong; the report of what is wrong is the message. */
export class ProjectRefused extends Error {
  override readonly name = 'ProjectRefused';
}
