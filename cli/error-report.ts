import pc from 'picocolors';
import { VERSION } from '../src/version.js';
import { EXIT } from './exit-code.js';

/**
 * Errors whose message says all that a person needs, and what the process exits with. By name: importing their classes
 * would load the server and Temporal's SDK for every command, which takes a second.
 */
const EXPECTED: Readonly<Record<string, number>> = {
  UsageError: EXIT.usage,
  DefinitionNotFound: EXIT.usage,
  RunNotFound: EXIT.usage,
  ContractViolation: EXIT.usage,
  IdempotencyConflict: EXIT.usage,
  UnauthenticatedListen: EXIT.usage,
  FlowNotFound: EXIT.usage,
  FlowRunNotFound: EXIT.usage,
  FlowActive: EXIT.usage,
  FlowNotScheduled: EXIT.usage,
  ConfigurationInvalid: EXIT.usage,
  GenerationRefused: EXIT.usage,
  TemporalUnreachable: EXIT.temporal,
  TemporalRefused: EXIT.temporal,
  TemporalUnavailable: EXIT.temporal,
  NamespaceNotFound: EXIT.temporal,
  TemporalSettingsInvalid: EXIT.temporal,
  NoTemporalServer: EXIT.temporal,
  DevServerUnavailable: EXIT.temporal,
  DevServerStartFailed: EXIT.temporal,
  TemporalEnded: EXIT.temporal,
  ServiceError: EXIT.temporal,
  ProjectRefused: EXIT.failed,
  DefinitionError: EXIT.failed,
  DatabaseInUse: EXIT.failed,
  DevAlreadyRunning: EXIT.failed,
  DiskFull: EXIT.failed,
  ListenFailed: EXIT.failed,
  WorkerStuck: EXIT.failed,
  UnresolvedReferences: EXIT.failed,
  ServicesFailed: EXIT.failed,
  CatalogUnavailable: EXIT.failed,
  CatalogNewer: EXIT.failed,
};

/** What a command's error amounts to. */
export interface ErrorReport {
  readonly text: string;
  readonly exitCode: number;
}

/** One clear message for what may happen to anybody; the stack, and what to do with it, for what should not happen. */
export function errorReport(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return unexpected(String(error));
  const exitCode = EXPECTED[error.name];
  if (error.name === 'ProjectRefused') return { text: error.message, exitCode: EXIT.failed };
  if (exitCode !== undefined) return { text: `${pc.red('error')}  ${messageOf(error)}`, exitCode };
  // The system's errors, such as a disk that is full, are nobody's mistake and say what they are about.
  if ('syscall' in error)
    return { text: `${pc.red('error')}  ${error.message}`, exitCode: EXIT.failed };
  return unexpected(error.stack ?? error.message);
}

function unexpected(what: string): ErrorReport {
  const hint = `This should not happen (millrace ${VERSION}, Node ${process.version}). Report it with the lines above and what you did.`;
  return {
    text: `${pc.red('unexpected error')}  ${what}\n${pc.dim(hint)}`,
    exitCode: EXIT.unexpected,
  };
}

function messageOf(error: Error): string {
  if (error.name !== 'ServiceError') return error.message;
  const { cause } = error;
  return `Temporal: ${error.message}${cause instanceof Error ? ` (${cause.message})` : ''}`;
}
