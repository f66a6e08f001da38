import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { attributesSchema } from './attribute-settings.js';
import { durationMs, InvalidDuration } from '../definition/duration.js';
import { NO_SERVICES, type Services } from '../pipeline/context.js';
import type {
  AfterExecute,
  ApiAuthentication,
  AuthorizeAttributes,
  AuthorizeDataFlows,
  AuthorizeRecordPipelines,
  AuthorizeExecution,
  BeforeExecute,
} from './hooks.js';
import type { TemporalWorkerSettings, WorkerSettings } from './worker-settings.js';
import { isReference, references as referencesIn, type SecretLookup } from './references.js';

const DAY_MS = 24 * 60 * 60_000;

function callback<F>(): z.ZodType<F> {
  return z.custom<F>((value) => typeof value === 'function', 'expected a function');
}

/** A length of time as people write it: `30s`, or milliseconds. */
export const duration = z.union([z.string(), z.number()]).transform((value, context) => {
  try {
    return durationMs(value);
  } catch (error) {
    if (!(error instanceof InvalidDuration)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

const text = z.string().min(1);
const count = z.int().min(1);
const port = z.int().min(0).max(65_535);

const reference = z
  .string()
  .refine(
    isReference,
    'it must be a reference such as "secret://webhooks" or "${WEBHOOK_SECRET}", so that no file holds the secret itself',
  );

const addresses = z
  .string()
  .refine(
    (range) => range === 'private' || ipaddr.isValidCIDR(range),
    'write a range of addresses such as "10.2.0.0/16", or "private" for all that are not public',
  );

const version = z.strictObject({ deploymentName: text, buildId: text });

const workerDeployment = z.discriminatedUnion('useWorkerVersioning', [
  z.strictObject({
    version,
    useWorkerVersioning: z.literal(true),
    defaultVersioningBehavior: z.enum(['PINNED', 'AUTO_UPGRADE']),
  }),
  z.strictObject({ version, useWorkerVersioning: z.literal(false) }),
]);

const pollerBehavior = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('simple-maximum'), maximum: count.exactOptional() }),
  z.strictObject({
    type: z.literal('autoscaling'),
    minimum: count.exactOptional(),
    maximum: count.exactOptional(),
    initial: count.exactOptional(),
  }),
]);

/** An option that Temporal's own types describe, and its SDK checks. */
function asTemporalHasIt<N extends keyof TemporalWorkerSettings>(
  _name: N,
): z.ZodExactOptional<z.ZodType<NonNullable<TemporalWorkerSettings[N]>>> {
  return z.custom<NonNullable<TemporalWorkerSettings[N]>>().exactOptional();
}

const workerHttp = z.strictObject({
  host: text.default('127.0.0.1'),
  port: port.exactOptional(),
});

const worker = z.strictObject({
  enabled: z.boolean().default(false),
  http: workerHttp.prefault({}),
  workerDeploymentOptions: workerDeployment.exactOptional(),
  identity: text.exactOptional(),
  maxConcurrentActivityTaskExecutions: count.exactOptional(),
  maxConcurrentLocalActivityExecutions: count.exactOptional(),
  maxConcurrentWorkflowTaskExecutions: count.exactOptional(),
  maxCachedWorkflows: z.int().min(0).exactOptional(),
  maxTaskQueueActivitiesPerSecond: z.number().positive().exactOptional(),
  maxActivitiesPerSecond: z.number().positive().exactOptional(),
  maxEagerActivityReservationsPerWorkflowTask: z.int().min(0).exactOptional(),
  maxConcurrentNexusTaskExecutions: count.exactOptional(),
  maxConcurrentWorkflowTaskPolls: count.exactOptional(),
  maxConcurrentActivityTaskPolls: count.exactOptional(),
  maxConcurrentNexusTaskPolls: count.exactOptional(),
  workflowThreadPoolSize: count.exactOptional(),
  nexusServices: asTemporalHasIt('nexusServices'),
  patchActivationCallback: asTemporalHasIt('patchActivationCallback'),
  tuner: asTemporalHasIt('tuner'),
  enableNonLocalActivities: z.boolean().exactOptional(),
  disablePayloadErrorLimit: z.boolean().exactOptional(),
  nonStickyToStickyPollRatio: z.number().min(0).max(1).exactOptional(),
  workflowTaskPollerBehavior: pollerBehavior.exactOptional(),
  activityTaskPollerBehavior: pollerBehavior.exactOptional(),
  nexusTaskPollerBehavior: pollerBehavior.exactOptional(),
  stickyQueueScheduleToStartTimeout: duration.exactOptional(),
  interceptors: asTemporalHasIt('interceptors'),
  plugins: asTemporalHasIt('plugins'),
  sinks: asTemporalHasIt('sinks'),
  workflowFailureErrorTypes: asTemporalHasIt('workflowFailureErrorTypes'),
  enableSDKTracing: z.boolean().exactOptional(),
  showStackTraceSources: z.boolean().exactOptional(),
  debugMode: z.boolean().exactOptional(),
  reuseV8Context: z.boolean().exactOptional(),
  shutdownGraceTime: duration.default(30_000),
} satisfies Record<keyof WorkerSettings, z.ZodType>);

const temporal = z.strictObject({
  profile: text.exactOptional(),
  address: text.exactOptional(),
  namespace: text.exactOptional(),
});

const server = z.strictObject({
  host: text.default('127.0.0.1'),
  port: port.default(8787),
  bodyLimit: count.default(1024 * 1024),
  maxWait: duration.default(5 * 60_000),
  sseClients: count.default(1_000),
  keepAlive: duration.default(15_000),
});

const references = z
  .union([reference, z.array(reference)])
  .transform((secret) => (typeof secret === 'string' ? [secret] : secret));

const sessions = z.strictObject({
  secret: references.refine((secrets) => secrets.length > 0, 'write a reference'),
  maxAge: duration.default(DAY_MS / 2),
});

const approvals = z.strictObject({
  secret: references.refine((secrets) => secrets.length > 0, 'write a reference'),
  url: z.url({ protocol: /^https?$/ }),
});

const webhooks = z.strictObject({
  secret: references.default([]),
  allow: z.array(addresses).default([]),
  maxAge: duration.default(DAY_MS),
});

/**
 * Segments of letters, digits and `. _ ~ -`: anything else means something to the router, or is encoded in a URL. Clients
 * take `.` and `..` for directions before they send a request.
 */
const routePath = z
  .string()
  .regex(
    /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+\/?$/,
    'write a path such as "/ai/summarize", without parameters and without the segments "." and ".."',
  )
  .transform((path) => path.replace(/\/$/, ''));

const route = z
  .strictObject({
    pipeline: text,
    path: routePath.optional(),
    stream: z.boolean().default(false),
    async: z.boolean().default(false),
  })
  .transform(({ path, ...rest }) => ({ ...rest, path: path ?? `/${rest.pipeline}` }));

const origin = z
  .string()
  .refine(
    (value) => !value.includes('*') && URL.canParse(value) && new URL(value).origin === value,
    'write an origin such as "https://app.example.com": scheme, host and port, without a path; patterns are not taken',
  );

const cors = z.strictObject({
  origins: z.array(origin).min(1),
  credentials: z.boolean().default(false),
});

const catalogPool = z
  .strictObject({
    maxConnections: count.default(10),
    minConnections: z.int().min(0).default(0),
    connectionTimeout: duration.default(10_000),
  })
  .refine(({ maxConnections, minConnections }) => minConnections <= maxConnections, {
    path: ['minConnections'],
    message: 'there cannot be more connections at least than at most (maxConnections)',
  });

const catalogUrl = text.refine(
  (url) => referencesIn(url).length > 0 || /^(?:sqlite:|postgres(?:ql)?:\/\/)/.test(url),
  'write it as sqlite:<path> or as postgres://user:password@host:5432/database',
);

const catalog = z.strictObject({ url: catalogUrl.exactOptional(), pool: catalogPool.prefault({}) });

const tasks = z.strictObject({
  handlerPaths: z.array(text).default([]),
  templatePaths: z.array(text).default([]),
});

/** An address, or a range of them. */
const addressRange = z
  .string()
  .refine(
    (range) => ipaddr.isValid(range) || ipaddr.isValidCIDR(range),
    'write an address such as "203.0.113.7" or "2001:db8::1", or a range such as "10.2.0.0/16"',
  );

const proxy = z
  .string()
  .refine(
    (range) =>
      ['loopback', 'linklocal', 'uniquelocal'].includes(range) ||
      ipaddr.isValid(range) ||
      ipaddr.isValidCIDR(range),
    'write the address or the range of a proxy, such as "10.2.0.0/16", or "loopback", "linklocal" or "uniquelocal"',
  );

const heartbeat = z
  .strictObject({
    endpointPath: routePath.default('/data_flows/heartbeat'),
    authenticationEnabled: z.boolean().default(false),
    authenticationToken: reference.exactOptional(),
    ipWhitelistingEnabled: z.boolean().default(false),
    whitelistedIps: z.array(addressRange).default([]),
    trustProxy: z.array(proxy).default([]),
  })
  .refine(
    ({ authenticationEnabled, authenticationToken }) =>
      !authenticationEnabled || authenticationToken !== undefined,
    {
      path: ['authenticationToken'],
      message:
        'authenticationEnabled needs a token: write authenticationToken: "secret://heartbeat" or "${HEARTBEAT_TOKEN}"',
    },
  )
  .refine(
    ({ ipWhitelistingEnabled, whitelistedIps }) =>
      !ipWhitelistingEnabled || whitelistedIps.length > 0,
    {
      path: ['whitelistedIps'],
      message: 'ipWhitelistingEnabled without any address would refuse everybody: name some',
    },
  );

const dataFlows = z.strictObject({
  routes: z.boolean().exactOptional(),
  heartbeat: heartbeat.prefault({}),
});

const recordPipelines = z.strictObject({ routes: z.boolean().exactOptional() });

const metrics = z.strictObject({ enabled: z.boolean().default(false) });

const events = z.strictObject({ enabled: z.boolean().default(true) });

const services = z.custom<Services | (() => Services | Promise<Services>)>(
  (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
  'expected an object or a function that returns one',
);

/** What a configuration may hold, with the defaults. What each option does is told at `ConfigDefinition`. */
export const configSchema = z.strictObject({
  configPath: text.exactOptional(),
  autoloadPaths: z.array(text).default([]),
  pluginPaths: z.array(text).default([]),
  debug: z.boolean().default(false),
  catchAllRoutes: z.boolean().default(false),
  routes: z.array(route).default([]),
  cors: cors.exactOptional(),
  apiAuthentication: callback<ApiAuthentication>().exactOptional(),
  authorizeExecution: callback<AuthorizeExecution>().exactOptional(),
  authorizeDataFlows: callback<AuthorizeDataFlows>().exactOptional(),
  authorizeAttributes: callback<AuthorizeAttributes>().exactOptional(),
  authorizeRecordPipelines: callback<AuthorizeRecordPipelines>().exactOptional(),
  beforeExecute: callback<BeforeExecute>().exactOptional(),
  afterExecute: callback<AfterExecute>().exactOptional(),
  exposePipes: z.union([z.enum(['all', 'none']), z.array(text)]).default('all'),
  asyncQueue: text.default('millrace'),
  executionRetention: duration.default(7 * DAY_MS),
  trackExecutions: z.boolean().exactOptional(),
  services: services.default(NO_SERVICES),
  disposeServices: callback<(services: Services) => void | Promise<void>>().exactOptional(),
  secrets: callback<SecretLookup>().exactOptional(),
  worker: worker.prefault({}),
  temporal: temporal.default({}),
  server: server.prefault({}),
  webhooks: webhooks.prefault({}),
  events: events.prefault({}),
  metrics: metrics.prefault({}),
  sessions: sessions.exactOptional(),
  approvals: approvals.exactOptional(),
  catalog: catalog.prefault({}),
  tasks: tasks.prefault({}),
  dataFlows: dataFlows.prefault({}),
  recordPipelines: recordPipelines.default({}),
  attributes: attributesSchema.prefault({}),
});
