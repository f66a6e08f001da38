import type { Logger } from 'pino';
import type { Environment } from '../engine/project/secrets.js';
import { createLogger } from './logger.js';

/** Loggers of a process that shows in another way how far it is: unless somebody asks for more, warnings and errors of people's own code. */
export function quietLoggers(
  debug: boolean,
  env: Environment,
): { readonly log: Logger; readonly sdkLog: Logger } {
  const { stderr: stream } = process;
  const atLeast = (level: string): Logger =>
    createLogger({ debug, env: { MILLRACE_LOG_LEVEL: level, ...env }, stream });
  return { log: atLeast('warn'), sdkLog: atLeast('fatal') };
}
