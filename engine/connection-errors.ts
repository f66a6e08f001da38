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
