import { ServiceError } from '@temporalio/client';
import pc from 'picocolors';
import {
  NamespaceNotFound,
  NoTemporalServer,
  TemporalSettingsInvalid,
  TemporalUnreachable,
} from '../engine/connection-errors.js';
import {
  DatabaseInUse,
  DevServerStartFailed,
  DevServerUnavailable,
} from '../engine/dev-server/dev-server-errors.js';
import { DevAlreadyRunning } from '../engine/dev-server/dev-record.js';
import { DefinitionNotFound, RunFailed, RunNotFound } from '../engine/errors.js';
import { UnresolvedReferences } from '../engine/project/secrets.js';
import { ContractViolation } from '../src/contract/violation.js';
import { DefinitionError } from '../src/definition/problem.js';
import { VERSION } from '../src/version.js';
import { ListenFailed, UnauthenticatedListen } from '../server/http-server.js';
import { ServicesFailed } from '../worker/project-services.js';
import { EXIT, ProjectRefused, UsageError } from './exit-code.js';

type ErrorClass = abstract new (...args: never[]) => Error;

/** Errors whose message says all that a person needs, and what the process exits with. */
const EXPECTED: readonly (readonly [ErrorClass, number])[] = [
  [UsageError, EXIT.usage],
  [DefinitionNotFound, EXIT.usage],
  [RunNotFound, EXIT.usage],
  [ContractViolation, EXIT.usage],
  [TemporalUnreachable, EXIT.temporal],
  [NamespaceNotFound, EXIT.temporal],
  [TemporalSettingsInvalid, EXIT.temporal],
  [NoTemporalServer, EXIT.temporal],
  [DevServerUnavailable, EXIT.temporal],
  [DevServerStartFailed, EXIT.temporal],
  [ServiceError, EXIT.temporal],
  [ProjectRefused, EXIT.failed],
  [DefinitionError, EXIT.failed],
  [ListenFailed, EXIT.failed],
  [UnauthenticatedListen, EXIT.usage],
  [DatabaseInUse, EXIT.failed],
  [DevAlreadyRunning, EXIT.failed],
  [UnresolvedReferences, EXIT.failed],
  [ServicesFailed, EXIT.failed],
  [RunFailed, EXIT.failed],
];

/** What a command's error amounts to. */
export interface ErrorReport {
  readonly text: string;
  readonly exitCode: number;
}

/** One clear message for what may happen to anybody; the stack, and what to do with it, for what should not happen. */
export function errorReport(error: unknown): ErrorReport {
  const known = EXPECTED.find(([type]) => error instanceof type);
  if (known !== undefined && error instanceof Error) {
    const own = error instanceof ProjectRefused;
    return { text: own ? error.message : `${pc.red('error')}  ${messageOf(error)}`, exitCode: known[1] };
  }
  const systemError = error instanceof Error && 'code' in error && typeof error.code === 'string';
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const hint = `This should not happen (millrace ${VERSION}, Node ${process.version}). Report it with the lines above and what you did.`;
  return {
    text: systemError ? `${pc.red('error')}  ${error.message}` : `${pc.red('unexpected error')}  ${what}\n${pc.dim(hint)}`,
    exitCode: systemError ? EXIT.failed : EXIT.unexpected,
  };
}

function messageOf(error: Error): string {
  if (!(error instanceof ServiceError)) return error.message;
  const { cause } = error;
  return `Temporal: ${error.message}${cause instanceof Error ? ` (${cause.message})` : ''}`;
}
