import { GRPC, grpcCode } from './grpc-code.js';

/** No Temporal server answers where one should be. */
export class TemporalUnreachable extends Error {
  override readonly name = 'TemporalUnreachable';
  constructor(
    readonly address: string,
    readonly namespace: string,
    cause: unknown,
  ) {
    super(
      `No Temporal server answers at ${address}: ${reasonOf(cause)}. Check that it runs, the address (TEMPORAL_ADDRESS, ` +
        'temporal.toml, or `temporal` in millrace.config.ts), and TLS and the API key where it asks for them.',
      { cause },
    );
  }
}

/** The Temporal server answers, and lets nobody in with these credentials. */
export class TemporalRefused extends Error {
  override readonly name = 'TemporalRefused';
  constructor(
    readonly address: string,
    readonly namespace: string,
    cause: unknown,
  ) {
    super(
      `The Temporal server at ${address} refuses the credentials: ${reasonOf(innermost(cause))}. Check the API key (TEMPORAL_API_KEY, ` +
        `or api_key in temporal.toml) or the client certificate, and that they are for the namespace "${namespace}".`,
      { cause },
    );
  }
}

/** What a connection that could not be opened has failed of. */
export function connectionError(
  address: string,
  namespace: string,
  cause: unknown,
): TemporalRefused | TemporalUnreachable {
  return isRefusal(cause)
    ? new TemporalRefused(address, namespace, cause)
    : new TemporalUnreachable(address, namespace, cause);
}

/** True for an answer that the credentials are missing, wrong, or not for this. */
export function isRefusal(error: unknown): boolean {
  const code = grpcCode(error);
  if (code !== undefined) return code === GRPC.unauthenticated || code === GRPC.permissionDenied;
  // Native connections say it with the words of the library below them.
  return error instanceof Error && NATIVE_REFUSAL.test(error.message);
}

const NATIVE_REFUSAL =
  /does not have valid authentication credentials|does not have permission to execute/;

function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? innermost(error.cause) : error;
}

/** The Temporal server answers, but has no such namespace. */
export class NamespaceNotFound extends Error {
  override readonly name = 'NamespaceNotFound';
  constructor(
    readonly namespace: string,
    readonly address: string,
  ) {
    super(
      `The Temporal server at ${address} has no namespace "${namespace}". Choose another (TEMPORAL_NAMESPACE) or create it: ` +
        `temporal operator namespace create --namespace ${namespace} --address ${address}`,
    );
  }
}

/** `temporal.toml` cannot be read, or lacks the profile that was asked for. */
export class TemporalSettingsInvalid extends Error {
  override readonly name = 'TemporalSettingsInvalid';
  /** @param reason - what is wrong and what to do, in sentences */
  constructor(
    /** The file that was read; undefined where there was none. */
    readonly file: string | undefined,
    reason: string,
    cause?: unknown,
  ) {
    super(
      `The settings for Temporal cannot be used: ${file === undefined ? '' : `${file}: `}${reason}`,
      { cause },
    );
  }
}

/** Nobody has said which Temporal server to use, and none was started by `millrace dev` in this project. */
export class NoTemporalServer extends Error {
  override readonly name = 'NoTemporalServer';
  constructor(readonly dir: string) {
    super(
      `No Temporal server is known for ${dir}. Start one with \`millrace dev\`, or set TEMPORAL_ADDRESS (or write a ` +
        'temporal.toml) for one that runs already: TEMPORAL_ADDRESS=127.0.0.1:7233.',
    );
  }
}

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split('\n')[0]?.replace(/\.$/, '') ?? message;
}
