import type { z } from 'zod';
import { formatPath } from '../contract/violation.js';
import type { Problem } from '../definition/problem.js';
import type { Services } from '../pipeline/context.js';
import type { Path } from '../pipeline/problem-list.js';
import type { ProjectAttributeSettings } from './attribute-settings.js';
import { configSchema } from './config-schema.js';
import type {
  CatalogSettings,
  ConfigDefinition,
  CorsSettings,
  EventSettings,
  HeartbeatSettings,
  MetricsSettings,
  RecordPipelineSettings,
  TaskSettings,
  TemporalSettings,
} from './config.js';
import type {
  AfterExecute,
  ApiAuthentication,
  AuthorizeAttributes,
  AuthorizeDataFlows,
  AuthorizeExecution,
  AuthorizeRecordPipelines,
  BeforeExecute,
} from './hooks.js';
import { mergedConfig } from './merged-config.js';
import type { SecretLookup } from './references.js';
import { routeProblems, type PipelineRoute } from './routes.js';
import { schemaProblems } from './schema-problems.js';
import type { WorkerSettings } from './worker-settings.js';

/** A configuration with its defaults, checked; times are in milliseconds. Made by {@link parseConfig}. */
export interface ProjectConfig {
  readonly configPath?: string;
  readonly autoloadPaths: readonly string[];
  readonly pluginPaths: readonly string[];
  readonly debug: boolean;
  readonly catchAllRoutes: boolean;
  readonly routes: readonly PipelineRoute[];
  readonly cors?: Required<CorsSettings>;
  readonly apiAuthentication?: ApiAuthentication;
  readonly authorizeExecution?: AuthorizeExecution;
  readonly authorizeDataFlows?: AuthorizeDataFlows;
  readonly authorizeRecordPipelines?: AuthorizeRecordPipelines;
  readonly authorizeAttributes?: AuthorizeAttributes;
  readonly beforeExecute?: BeforeExecute;
  readonly afterExecute?: AfterExecute;
  readonly exposePipes: 'all' | 'none' | readonly string[];
  readonly asyncQueue: string;
  readonly executionRetentionMs: number;
  readonly services: Services | (() => Services | Promise<Services>);
  readonly disposeServices?: (services: Services) => void | Promise<void>;
  readonly secrets?: SecretLookup;
  readonly worker: Omit<WorkerSettings, 'enabled' | 'http' | 'shutdownGraceTime'> & {
    readonly enabled: boolean;
    readonly http: { readonly host: string; readonly port?: number };
    readonly shutdownGraceTimeMs: number;
  };
  readonly temporal: TemporalSettings;
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly bodyLimitBytes: number;
    readonly maxWaitMs: number;
    readonly sseClients: number;
    readonly keepAliveMs: number;
  };
  readonly webhooks: {
    readonly secrets: readonly string[];
    readonly allow: readonly string[];
    readonly maxAgeMs: number;
  };
  readonly events: Required<EventSettings>;
  readonly metrics: Required<MetricsSettings>;
  readonly sessions?: {
    readonly secrets: readonly string[];
    readonly maxAgeMs: number;
  };
  readonly approvals?: {
    readonly secrets: readonly string[];
    readonly url: string;
  };
  readonly catalog: Pick<CatalogSettings, 'url'> & { readonly pool: CatalogPool };
  readonly tasks: Required<TaskSettings>;
  readonly dataFlows: {
    /** Whether the API of data flows is served. */
    readonly routes: boolean;
    readonly heartbeat: ProjectHeartbeat;
  };
  readonly recordPipelines: Required<RecordPipelineSettings>;
  readonly attributes: ProjectAttributeSettings;
}

/** The connections of one process to a catalog in PostgreSQL. */
export interface CatalogPool {
  readonly maxConnections: number;
  readonly minConnections: number;
  readonly connectionTimeoutMs: number;
}

/** The heartbeat's settings with their defaults. */
export type ProjectHeartbeat = Omit<Required<HeartbeatSettings>, 'authenticationToken'> &
  Pick<HeartbeatSettings, 'authenticationToken'>;

/** Something that is wrong with a configuration. */
export interface ConfigProblem extends Problem {
  /** Of the option that is wrong; absent where it is more than one. */
  readonly path?: Path;
}

/**
 * Checks a configuration and fills in the defaults; `{}` gives all of them.
 *
 * @param over - wins over the value, option by option, also in groups such as `server`
 * @returns the configuration unless there is an error among the problems. Problems have no site.
 */
export function parseConfig(
  value: unknown,
  over: ConfigDefinition = {},
): {
  readonly config?: ProjectConfig;
  readonly problems: readonly ConfigProblem[];
} {
  const written = mergedConfig([value, over]);
  const parsed = configSchema.safeParse(written);
  if (!parsed.success) {
    const problems = schemaProblems(configSchema, parsed.error, written, 'option').map(
      ({ message, path, unknownName }): ConfigProblem => ({
        definition: 'config',
        path,
        message: `config: ${unknownName && path.length > 1 ? `${formatPath(path.slice(0, -1))}: ` : ''}${message}`,
      }),
    );
    return { problems };
  }
  const {
    executionRetention,
    trackExecutions,
    worker,
    server,
    webhooks,
    sessions,
    approvals,
    dataFlows,
    recordPipelines,
    attributes,
    catalog,
    ...rest
  } = parsed.data;
  const { shutdownGraceTime: shutdownGraceTimeMs, ...workerOptions } = worker;
  const {
    bodyLimit: bodyLimitBytes,
    maxWait: maxWaitMs,
    keepAlive: keepAliveMs,
    ...listener
  } = server;
  const config: ProjectConfig = {
    ...rest,
    executionRetentionMs: executionRetention,
    worker: { ...workerOptions, shutdownGraceTimeMs },
    server: { ...listener, bodyLimitBytes, maxWaitMs, keepAliveMs },
    webhooks: { secrets: webhooks.secret, allow: webhooks.allow, maxAgeMs: webhooks.maxAge },
    ...(sessions !== undefined && {
      sessions: { secrets: sessions.secret, maxAgeMs: sessions.maxAge },
    }),
    ...(approvals !== undefined && {
      approvals: { secrets: approvals.secret, url: approvals.url },
    }),
    dataFlows: { routes: rest.catchAllRoutes, ...dataFlows },
    recordPipelines: { routes: rest.catchAllRoutes, ...recordPipelines },
    attributes: { routes: rest.catchAllRoutes, ...attributes },
    catalog: catalogConfig(catalog),
  };
  const wrong = [...routeProblems(config), ...sessionProblems(config)];
  if (wrong.length > 0) return { problems: wrong };
  const warnings = [
    ...(trackExecutions === false ? [ALWAYS_TRACKED] : []),
    ...(config.metrics.enabled && !config.events.enabled ? [NOTHING_COUNTED] : []),
  ];
  return { config, problems: warnings };
}

function catalogConfig({
  pool: { connectionTimeout: connectionTimeoutMs, ...pool },
  ...catalog
}: z.output<typeof configSchema>['catalog']): ProjectConfig['catalog'] {
  return { ...catalog, pool: { ...pool, connectionTimeoutMs } };
}

function sessionProblems({ sessions, apiAuthentication }: ProjectConfig): readonly Problem[] {
  if (sessions === undefined || apiAuthentication !== undefined) return [];
  const message =
    'config: sessions needs apiAuthentication, which says who may have one. Set it, or take sessions out.';
  return [{ definition: 'config', message }];
}

const ALWAYS_TRACKED: Problem = {
  definition: 'config',
  severity: 'warning',
  message:
    'config: trackExecutions: false has no effect. Temporal keeps track of every run; executionRetention says for how long.',
};

const NOTHING_COUNTED: Problem = {
  definition: 'config',
  severity: 'warning',
  message:
    'config: metrics.enabled: nothing is counted, since metrics are made of events, and events.enabled is false.',
};
