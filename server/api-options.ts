import { setMaxListeners } from 'node:events';
import pino, { type Logger } from 'pino';
import { refuseAddress } from '../adapters/webhook/webhook-address.js';
import type { Engine } from '../engine/engine.js';
import type { ConfigDefinition, ServerSettings } from '../src/config/config.js';
import type { ProjectConfig } from '../src/config/project-config.js';
import { durationMs } from '../src/definition/duration.js';

/** The options of a project's configuration that the HTTP API follows, with their defaults; times in milliseconds. */
export interface ApiSettings extends Pick<
  ProjectConfig,
  | 'apiAuthentication'
  | 'authorizeExecution'
  | 'authorizeDataFlows'
  | 'authorizeRecordPipelines'
  | 'authorizeAttributes'
  | 'beforeExecute'
  | 'exposePipes'
> {
  readonly bodyLimitBytes: number;
  readonly maxWaitMs: number;
  readonly sseClients: number;
  readonly keepAliveMs: number;
  /** As `webhooks.allow` of the configuration. */
  readonly webhookAllow: readonly string[];
}

/**
 * Looks at the address of a webhook before a run is started with it. Throw an error whose message says what is wrong
 * with it, and the request is answered with 422.
 */
export type CheckWebhookUrl = (url: URL) => void | Promise<void>;

/** What the API gets from the process around it, beside the engine and the settings. */
export interface ApiDependencies {
  /** One child of it logs each request. Nothing is logged unless it is given. */
  readonly log?: Logger;
  /** Aborted when the process stops: event streams then end with a hint when to come back, and waits are cut short. */
  readonly stop?: AbortSignal;
  /** Default: addresses that webhooks may not go to by the configuration are refused; names are looked up at delivery. */
  readonly checkWebhookUrl?: CheckWebhookUrl;
}

/**
 * The API's options for a router in somebody's own app, as `defineConfig` takes them. What is not set comes from the
 * engine's configuration, where it has one, else from the defaults.
 */
export interface ApiOptions
  extends
    Pick<
      ConfigDefinition,
      'apiAuthentication' | 'authorizeExecution' | 'beforeExecute' | 'exposePipes'
    >,
    Pick<ServerSettings, 'bodyLimit' | 'maxWait' | 'sseClients' | 'keepAlive'>,
    ApiDependencies {}

/** An engine, with the configuration that it was created from where there is one. */
export type ConfiguredEngine = Engine & { readonly config?: ProjectConfig };

/** What every route works with. */
export interface Api extends Required<ApiDependencies> {
  readonly engine: Engine;
  readonly settings: ApiSettings;
}

const DEFAULTS: ApiSettings = {
  exposePipes: 'all',
  bodyLimitBytes: 1024 * 1024,
  maxWaitMs: 5 * 60_000,
  sseClients: 1_000,
  keepAliveMs: 15_000,
  webhookAllow: [],
};

/** The API's part of a project's configuration. */
export function settingsOfConfig(config: ProjectConfig): ApiSettings {
  const { apiAuthentication, authorizeExecution, authorizeDataFlows, authorizeRecordPipelines } =
    config;
  const { server, authorizeAttributes } = config;
  const { beforeExecute, exposePipes } = config;
  const { bodyLimitBytes, maxWaitMs, sseClients, keepAliveMs } = server;
  return {
    ...(apiAuthentication !== undefined && { apiAuthentication }),
    ...(authorizeExecution !== undefined && { authorizeExecution }),
    ...(authorizeDataFlows !== undefined && { authorizeDataFlows }),
    ...(authorizeRecordPipelines !== undefined && { authorizeRecordPipelines }),
    ...(authorizeAttributes !== undefined && { authorizeAttributes }),
    ...(beforeExecute !== undefined && { beforeExecute }),
    exposePipes,
    bodyLimitBytes,
    maxWaitMs,
    sseClients,
    keepAliveMs,
    webhookAllow: config.webhooks.allow,
  };
}

/**
 * The settings of an embedded router.
 *
 * @throws {@link InvalidDuration} for a `maxWait` or `keepAlive` that is none
 */
export function settingsOfOptions(engine: ConfiguredEngine, options: ApiOptions): ApiSettings {
  const {
    apiAuthentication,
    authorizeExecution,
    beforeExecute,
    exposePipes,
    bodyLimit,
    maxWait,
    sseClients,
    keepAlive,
  } = options;
  return {
    ...(engine.config === undefined ? DEFAULTS : settingsOfConfig(engine.config)),
    ...(apiAuthentication !== undefined && { apiAuthentication }),
    ...(authorizeExecution !== undefined && { authorizeExecution }),
    ...(beforeExecute !== undefined && { beforeExecute }),
    ...(exposePipes !== undefined && { exposePipes }),
    ...(bodyLimit !== undefined && { bodyLimitBytes: bodyLimit }),
    ...(maxWait !== undefined && { maxWaitMs: durationMs(maxWait) }),
    ...(sseClients !== undefined && { sseClients }),
    ...(keepAlive !== undefined && { keepAliveMs: durationMs(keepAlive) }),
  };
}

/** Fills in what the process does not give. */
export function createApi(
  engine: Engine,
  settings: ApiSettings,
  dependencies: ApiDependencies,
): Api {
  const {
    log = pino({ level: 'silent' }),
    stop = new AbortController().signal,
    checkWebhookUrl = (url: URL) => {
      refuseAddress(url, settings.webhookAllow);
    },
  } = dependencies;
  // Each request and stream that goes on listens to it.
  setMaxListeners(0, stop);
  return { engine, settings, log, stop, checkWebhookUrl };
}
