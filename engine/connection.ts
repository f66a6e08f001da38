import { Client, Connection } from '@temporalio/client';
import type { TemporalSettings } from '../src/config/config.js';
import { callInterceptors } from './call-interceptors.js';
import { connectionError, NamespaceNotFound, TemporalRefused } from './connection-errors.js';
import { GRPC, grpcCode } from './grpc-code.js';
import type { Environment } from './project/secrets.js';
import { temporalOptions, type TemporalOptions } from './temporal-toml.js';

/** Longest time that connecting to a Temporal server may take. */
export const MAX_CONNECT_MS = 10_000;

/** Temporal's own name for the namespace that nobody has chosen. */
const DEFAULT_NAMESPACE = 'default';

/** Where the web UI of Temporal Cloud is. */
const CLOUD_UI = 'https://cloud.temporal.io';

/** TLS, API key and headers, as both kinds of Temporal connection take them. */
type Credentials = Omit<TemporalOptions['connectionOptions'], 'address'>;

/** Which Temporal server and namespace to use, and how to get in. */
export interface ConnectionSettings {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly credentials: Credentials;
  /** Where the server's web UI is, as far as that is known. */
  readonly uiUrl?: string;
}

/** A client of a Temporal server, with a connection of its own. */
export interface ConnectedClient {
  readonly client: Client;
  readonly close: () => Promise<void>;
}

/**
 * The Temporal server that somebody has configured, or undefined when nobody has: what the project's config says, else
 * `TEMPORAL_*` variables, else `temporal.toml` (`@temporalio/envconfig`). A namespace alone configures no server.
 *
 * @throws {@link TemporalSettingsInvalid} for a `temporal.toml` that cannot be read, or a profile that it lacks
 */
export function configuredTemporal(
  temporal: TemporalSettings,
  env: Environment,
): ConnectionSettings | undefined {
  const { connectionOptions, namespace } = clientOptions(temporal, env);
  const address = temporal.address ?? connectionOptions.address;
  if (address === undefined || address === '') return undefined;
  const { address: _, ...credentials } = connectionOptions;
  const uiUrl = env['MILLRACE_TEMPORAL_UI'] ?? cloudUi(address);
  return {
    address,
    namespace: temporal.namespace ?? namespace ?? DEFAULT_NAMESPACE,
    credentials,
    ...(uiUrl !== undefined && { uiUrl }),
  };
}

/** The namespace to use on a server that we start ourselves. Throws what {@link configuredTemporal} throws. */
export function embeddedNamespace(temporal: TemporalSettings, env: Environment): string {
  return temporal.namespace ?? clientOptions(temporal, env).namespace ?? DEFAULT_NAMESPACE;
}

/**
 * Connects a client.
 *
 * @throws {@link TemporalUnreachable} when no server answers in time, {@link TemporalRefused}, {@link NamespaceNotFound}
 */
export async function connectClient(settings: ConnectionSettings): Promise<ConnectedClient> {
  const { address, namespace, credentials } = settings;
  const connection = await Connection.connect({
    ...definedOnly(credentials),
    address,
    connectTimeout: MAX_CONNECT_MS,
    interceptors: callInterceptors(),
  }).catch((error: unknown) => {
    throw connectionError(address, namespace, error);
  });
  const client = new Client({ connection, namespace });
  try {
    await requireNamespace(client, address);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return { client, close: () => connection.close() };
}

/**
 * Looks whether the client's namespace exists. A server that does not let us ask is taken at its word.
 *
 * @throws {@link NamespaceNotFound}, {@link TemporalRefused}
 */
export async function requireNamespace(client: Client, address: string): Promise<void> {
  const { namespace } = client.options;
  await client.connection
    .withDeadline(Date.now() + MAX_CONNECT_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    )
    .catch((error: unknown) => {
      const code = grpcCode(error);
      if (code === GRPC.notFound) throw new NamespaceNotFound(namespace, address);
      if (code === GRPC.unauthenticated) throw new TemporalRefused(address, namespace, error);
    });
}

/** Options without those that are undefined, which the connections take for a choice. */
export function definedOnly(credentials: Credentials): Partial<Credentials> {
  return Object.fromEntries(
    // The types do not say it, but what is not set is there as undefined.
    Object.entries<unknown>(credentials).filter(([, value]) => value !== undefined),
  );
}

function clientOptions({ profile }: TemporalSettings, env: Environment): TemporalOptions {
  return temporalOptions(profile, setVariables(env));
}

function setVariables(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || (value === '' && name.startsWith('TEMPORAL_')) ? [] : [[name, value]],
    ),
  );
}

function cloudUi(address: string): string | undefined {
  return /\.(?:tmprl\.cloud|api\.temporal\.io)(?::\d+)?$/.test(address) ? CLOUD_UI : undefined;
}
