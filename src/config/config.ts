import type { AttributeSettings } from './attribute-settings.js';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Duration } from '../definition/duration.js';
import type { Site } from '../definition/problem.js';
import type { Services } from '../pipeline/context.js';
import type {
  AfterExecute,
  ApiAuthentication,
  AuthorizeAttributes,
  AuthorizeDataFlows,
  AuthorizeRecordPipelines,
  AuthorizeExecution,
  BeforeExecute,
} from './hooks.js';
import type { SecretLookup } from './references.js';
import type { RouteDefinition } from './routes.js';
import type { WorkerSettings } from './worker-settings.js';

/** What `millrace.config.ts` may set: everything is optional. Made into a {@link Config} by {@link defineConfig}. */
export interface ConfigDefinition {
  /**
   * A folder, relative to the project, with more YAML: `config.yml` (then read from there) and pipelines, in it or in its
   * `pipelines/`. Unset: `config.yml` is in the project's own folder. `pipelines/` of the project is read either way.
   */
  readonly configPath?: string;
  /**
   * More files or folders, relative to the project, that export operations and pipelines, beside `operations/` and
   * `pipelines/`. Default: none. A config that sets it is evaluated twice.
   */
  readonly autoloadPaths?: readonly string[];
  /**
   * Folders, relative to the project, of plugins or with plugins in them, whose templates `millrace generate` has, beside those of
   * packages. Default: none.
   */
  readonly pluginPaths?: readonly string[];
  /** Log at level `debug`. Default: false. */
  readonly debug?: boolean;
  /** Serve every exposed definition under `/pipelines/:name` without naming it. Default: false. */
  readonly catchAllRoutes?: boolean;
  /** Serve these pipelines at paths of their own, with `catchAllRoutes` or without. Default: none. */
  readonly routes?: readonly RouteDefinition[];
  /** Which other sites' pages may use the API from a browser. Default: none. */
  readonly cors?: CorsSettings;
  /** Tells who makes a request, or false for 401. Unset: nobody is asked, and the server listens on loopback only. */
  readonly apiAuthentication?: ApiAuthentication;
  /** Says which runs a request may see and cancel. Unset: whoever may see a pipeline may see all of its runs. */
  readonly authorizeExecution?: AuthorizeExecution;
  /** Says which requests may look at data flows and steer them. Unset: whoever may use the API. */
  readonly authorizeDataFlows?: AuthorizeDataFlows;
  /** Who may look at record pipelines, run them, and restore versions of their stores. */
  readonly authorizeRecordPipelines?: AuthorizeRecordPipelines;
  /** Who may look at entities and their attributes, edit values, run pipelines and design them. Unset: whoever may use the API. */
  readonly authorizeAttributes?: AuthorizeAttributes;
  /** Called before a request starts a run; may refuse it. Default: none. */
  readonly beforeExecute?: BeforeExecute;
  /** Called once for each run that ended. Default: none. */
  readonly afterExecute?: AfterExecute;
  /** Which definitions the HTTP API shows: all, none, or those named. The engine reaches all of them. Default: `all`. */
  readonly exposePipes?: 'all' | 'none' | readonly string[];
  /** The Temporal task queue that runs are put into and workers poll. Default: `millrace`. */
  readonly asyncQueue?: string;
  /**
   * How long Temporal keeps ended runs, and with them their results and idempotency keys. Sets the retention of a
   * namespace that may be changed; a shorter one that may not is warned about. Temporal's least is 1 day. Default: `7d`.
   */
  readonly executionRetention?: Duration;
  /** Accepted for compatibility, without effect: Temporal keeps track of every run. `false` is warned about. */
  readonly trackExecutions?: boolean;
  /** What every operation gets as `services`: an object, or a function that is called once per worker. Default: `{}`. */
  readonly services?: Services | (() => Services | Promise<Services>);
  /** Called with the services when a worker has stopped, to close what they hold. Default: none. */
  readonly disposeServices?: (services: Services) => void | Promise<void>;
  /** What `secret://name` stands for. Default: the environment variable, else the file in `/run/secrets`. */
  readonly secrets?: SecretLookup;
  /** How workers work: when, where they answer probes, and Temporal's own options. */
  readonly worker?: WorkerSettings;
  /** Which Temporal server to use. What is not set comes from `TEMPORAL_*` variables and `temporal.toml`. */
  readonly temporal?: TemporalSettings;
  readonly server?: ServerSettings;
  readonly webhooks?: WebhookSettings;
  readonly events?: EventSettings;
  readonly metrics?: MetricsSettings;
  /** Sessions of browsers, which `apiAuthentication` opens: `EventSource` sends no header, but cookies. Default: none. */
  readonly sessions?: SessionSettings;
  /** Links to answer approvals of tasks by. Without it handlers have none. */
  readonly approvals?: ApprovalSettings;
  readonly catalog?: CatalogSettings;
  readonly tasks?: TaskSettings;
  readonly dataFlows?: DataFlowSettings;
  readonly recordPipelines?: RecordPipelineSettings;
  readonly attributes?: AttributeSettings;
}

/** Where the catalog is: the database with the settings, cursors and run history of data flows. */
export interface CatalogSettings {
  /**
   * `postgres://…` or `sqlite:<path>`, which may hold references: `${CATALOG_URL}`. Default: the environment's `DATABASE_URL`,
   * else a SQLite file in `.millrace/` of the project.
   */
  readonly url?: string;
  /** Connections of one process, where the catalog is PostgreSQL. */
  readonly pool?: CatalogPoolSettings;
}

/** How many connections to PostgreSQL a process has. */
export interface CatalogPoolSettings {
  /** Default: 10. */
  readonly maxConnections?: number;
  /** Those that are kept though nothing needs them. Default: 0. */
  readonly minConnections?: number;
  /** Longest wait for a connection, a free one of the pool included. Default: `10s`. */
  readonly connectionTimeout?: Duration;
}

/** Where templates of tasks and their handlers are, beside `tasks/` and `handlers/`. */
export interface TaskSettings {
  /** Files or folders, relative to the project, that export step handlers. Default: none. */
  readonly handlerPaths?: readonly string[];
  /** Folders, relative to the project, with templates in YAML. Default: none. */
  readonly templatePaths?: readonly string[];
}

/** How data flows are served. */
export interface DataFlowSettings {
  /** Serve the API of data flows under `/data_flows`. Default: as `catchAllRoutes`. */
  readonly routes?: boolean;
  readonly heartbeat?: HeartbeatSettings;
}

/** How record pipelines are served. */
export interface RecordPipelineSettings {
  /** Serve the API of record pipelines under `/record_pipelines`. Default: as `catchAllRoutes`. */
  readonly routes?: boolean;
}

/** Who may send the heartbeat that starts flows which are due, and where to. */
export interface HeartbeatSettings {
  /** Default: `/data_flows/heartbeat`. */
  readonly endpointPath?: string;
  /** Only with the token, in `X-Heartbeat-Token` or as `Authorization: Bearer`. Default: false; `apiAuthentication` is asked then. */
  readonly authenticationEnabled?: boolean;
  /** The token, as a reference: `secret://heartbeat` or `${HEARTBEAT_TOKEN}`. */
  readonly authenticationToken?: string;
  /** Only from some addresses. Default: false. */
  readonly ipWhitelistingEnabled?: boolean;
  /** Addresses and CIDR ranges, IPv4 and IPv6. */
  readonly whitelistedIps?: readonly string[];
  /**
   * Proxies whose `X-Forwarded-For` is believed: addresses, ranges, or `loopback`, `linklocal`, `uniquelocal`. Default: none, and
   * the address is that of the connection.
   */
  readonly trustProxy?: readonly string[];
}

/** The Temporal server, namespace and profile to use. */
export interface TemporalSettings {
  /** A profile of `temporal.toml`. */
  readonly profile?: string;
  /** `host:port`. */
  readonly address?: string;
  readonly namespace?: string;
}

/** Where the HTTP server listens, and its limits. */
export interface ServerSettings {
  /** Default: `127.0.0.1`. Another than a loopback address needs `apiAuthentication`, or `--insecure`. */
  readonly host?: string;
  /** Default: 8787. `--port` and `MILLRACE_PORT` win over it. */
  readonly port?: number;
  /** Largest body of a request, in bytes. Default: 1,048,576 (1 MiB). */
  readonly bodyLimit?: number;
  /** Longest wait of a synchronous request, after which it is answered with 202 and where to look. Default: `5m`. */
  readonly maxWait?: Duration;
  /** Most event streams at once in a server process. Default: 1,000. */
  readonly sseClients?: number;
  /** How often an event stream that has nothing to tell sends a comment, so that proxies keep it open. Default: `15s`. */
  readonly keepAlive?: Duration;
}

/** Pages of which other sites a browser lets use the API (CORS). */
export interface CorsSettings {
  /** Origins, such as `https://app.example.com`. */
  readonly origins: readonly string[];
  /** Whether browsers may send cookies and other credentials of theirs along. Default: false. */
  readonly credentials?: boolean;
}

/** How webhooks are signed, and where they may go. */
export interface WebhookSettings {
  /**
   * What deliveries are signed with (Standard Webhooks), as a reference: `secret://webhooks` or `${WEBHOOK_SECRET}`.
   * Several, while a secret is being changed, sign each delivery. Default: none; deliveries are then not signed.
   */
  readonly secret?: string | readonly string[];
  /**
   * Addresses that webhooks may go to though they are not public: CIDR ranges such as `10.2.0.0/16`, or `private` for all
   * private, loopback and link-local ones. Default: none.
   */
  readonly allow?: readonly string[];
  /** How long a delivery is tried again. Default: `24h`. */
  readonly maxAge?: Duration;
}

/** Events that workers publish in their processes. */
export interface EventSettings {
  /** Whether any are. Default: true. */
  readonly enabled?: boolean;
}

/** Metrics for Prometheus. */
export interface MetricsSettings {
  /** Whether they are counted, and served under `/metrics` by servers, and by workers that have a port. Default: false. */
  readonly enabled?: boolean;
}

/** How browsers stay authenticated by a cookie. */
export interface SessionSettings {
  /**
   * What sessions are encrypted with, as a reference: `secret://session` or `${SESSION_SECRET}`, for a text of 32 characters or more.
   * Of several, while a secret is being changed, the first encrypts.
   */
  readonly secret: string | readonly string[];
  /** How long one lasts. Default: `12h`. */
  readonly maxAge?: Duration;
}

/** Links by which people, or other systems, answer approvals of tasks. */
export interface ApprovalSettings {
  /**
   * What links are signed with, as a reference: `secret://approvals` or `${APPROVAL_SECRET}`, for a text of 32 characters or more.
   * Of several, while a secret is being changed, the first signs. Workers and servers need it.
   */
  readonly secret: string | readonly string[];
  /** Where the server is, as those see it who get links: `https://jobs.example.com`. */
  readonly url: string;
}

/** A configuration as a project exports it. Made by {@link defineConfig}. */
export interface Config extends Branded<'config'>, ConfigDefinition {
  readonly site?: Site;
}

/**
 * Types a project's configuration; export its result from `millrace.config.ts` as the default. Nothing is checked
 * here: loading a project does, and reports what is wrong beside everything else.
 *
 * @example
 * ```ts
 * export default defineConfig({ catchAllRoutes: true, server: { port: 8080 } });
 * ```
 */
export function defineConfig(definition: ConfigDefinition): Config {
  const site = callerSite();
  return { [DEFINITION]: 'config', ...definition, ...(site !== undefined && { site }) };
}
