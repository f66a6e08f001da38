import { describe, expect, it } from '@jest/globals';
import { NO_SERVICES } from '../../../src/pipeline/context.js';
import { defineConfig, type ConfigDefinition } from '../../../src/config/config.js';
import { parseConfig } from '../../../src/config/project-config.js';
import { formatProblem } from '../../../src/definition/problem.js';

/** What is wrong with options that the types would not let pass. */
function messages(options: object): readonly string[] {
  return parseConfig(options).problems.map(formatProblem);
}

describe('a configuration', () => {
  it('that sets nothing has every default', () => {
    expect(parseConfig({})).toEqual({
      config: {
        autoloadPaths: [],
        catalog: { pool: { maxConnections: 10, minConnections: 0, connectionTimeoutMs: 10_000 } },
        pluginPaths: [],
        tasks: { handlerPaths: [], templatePaths: [] },
        dataFlows: {
          routes: false,
          heartbeat: {
            endpointPath: '/data_flows/heartbeat',
            authenticationEnabled: false,
            ipWhitelistingEnabled: false,
            whitelistedIps: [],
            trustProxy: [],
          },
        },
        recordPipelines: { routes: false },
        attributes: { routes: false, nightly: { hour: 2, minute: 0 }, timeZone: 'UTC' },
        debug: false,
        catchAllRoutes: false,
        routes: [],
        exposePipes: 'all',
        asyncQueue: 'millrace',
        executionRetentionMs: 7 * 24 * 60 * 60_000,
        services: NO_SERVICES,
        worker: { enabled: false, http: { host: '127.0.0.1' }, shutdownGraceTimeMs: 30_000 },
        temporal: {},
        server: {
          host: '127.0.0.1',
          port: 8787,
          bodyLimitBytes: 1_048_576,
          maxWaitMs: 300_000,
          sseClients: 1_000,
          keepAliveMs: 15_000,
        },
        webhooks: { secrets: [], allow: [], maxAgeMs: 24 * 60 * 60_000 },
        events: { enabled: true },
        metrics: { enabled: false },
      },
      problems: [],
    });
  });

  it('keeps what is set, with times in milliseconds', () => {
    const definition: ConfigDefinition = {
      configPath: 'config',
      autoloadPaths: ['lib'],
      debug: true,
      catchAllRoutes: true,
      apiAuthentication: async () => ({ id: 'ann', team: 'blue' }),
      beforeExecute: (name, input) =>
        name === 'x' && 'y' in input ? { status: 402, error: 'Pay first' } : undefined,
      afterExecute: () => undefined,
      exposePipes: ['report'],
      asyncQueue: 'reports',
      executionRetention: '30d',
      services: async () => NO_SERVICES,
      disposeServices: () => undefined,
      secrets: (name) => name,
      worker: {
        maxConcurrentActivityTaskExecutions: 5,
        maxCachedWorkflows: 0,
        shutdownGraceTime: '1m',
      },
      temporal: { profile: 'cloud', address: 'temporal:7233', namespace: 'reports' },
      server: {
        host: '0.0.0.0',
        port: 0,
        bodyLimit: 10,
        maxWait: 1_500,
        sseClients: 1,
        keepAlive: '1s',
      },
      webhooks: {
        secret: 'secret://hook',
        allow: ['10.2.0.0/16', 'fd00::/8', 'private'],
        maxAge: '1h',
      },
    };
    const { config, problems } = parseConfig(defineConfig(definition));
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      configPath: 'config',
      apiAuthentication: definition.apiAuthentication,
      beforeExecute: definition.beforeExecute,
      afterExecute: definition.afterExecute,
      services: definition.services,
      disposeServices: definition.disposeServices,
      secrets: definition.secrets,
      exposePipes: ['report'],
      asyncQueue: 'reports',
      executionRetentionMs: 30 * 24 * 60 * 60_000,
      worker: {
        maxConcurrentActivityTaskExecutions: 5,
        maxCachedWorkflows: 0,
        shutdownGraceTimeMs: 60_000,
      },
      temporal: { profile: 'cloud', address: 'temporal:7233', namespace: 'reports' },
      server: {
        host: '0.0.0.0',
        port: 0,
        bodyLimitBytes: 10,
        maxWaitMs: 1_500,
        sseClients: 1,
        keepAliveMs: 1_000,
      },
      webhooks: {
        secrets: ['secret://hook'],
        allow: ['10.2.0.0/16', 'fd00::/8', 'private'],
        maxAgeMs: 60 * 60_000,
      },
    });
  });

  it('takes an option that is undefined as one that is not set', () => {
    expect(
      parseConfig({ debug: undefined, apiAuthentication: undefined, server: { port: undefined } }),
    ).toEqual(parseConfig({}));
  });

  it("takes options of Temporal's worker as they are", () => {
    const interceptors = { activity: [() => ({})] };
    const worker = {
      interceptors,
      workflowTaskPollerBehavior: { type: 'autoscaling', maximum: 5 },
      workerDeploymentOptions: {
        version: { deploymentName: 'reports', buildId: '1' },
        useWorkerVersioning: true,
        defaultVersioningBehavior: 'PINNED',
      },
    } as const;
    const { config } = parseConfig(defineConfig({ worker }));
    expect(config?.worker).toEqual({
      ...worker,
      enabled: false,
      http: { host: '127.0.0.1' },
      shutdownGraceTimeMs: 30_000,
    });
    expect(config?.worker.interceptors).toBe(interceptors);
  });

  it('lets a caller win over it, option by option', () => {
    const written = defineConfig({
      debug: true,
      asyncQueue: 'written',
      server: { port: 1, host: 'a' },
      exposePipes: ['a'],
    });
    const { config } = parseConfig(written, {
      asyncQueue: 'given',
      server: { port: 2 },
      worker: { maxCachedWorkflows: 1 },
      exposePipes: 'none',
    });
    expect(config).toEqual(
      parseConfig({
        debug: true,
        asyncQueue: 'given',
        server: { port: 2, host: 'a' },
        worker: { maxCachedWorkflows: 1 },
        exposePipes: 'none',
      }).config,
    );
  });

  it('takes services as they are, whatever object they are', () => {
    class Database {
      readonly open = true;
    }
    const services = { database: new Database() };
    expect(parseConfig({ services }).config?.services).toBe(services);
  });

  it.each<[object, string]>([
    [{ autoloadPath: [] }, 'config: unknown option "autoloadPath". Did you mean "autoloadPaths"?'],
    [
      { worker: { maxConcurrentActivities: 1 } },
      'config: worker: unknown option "maxConcurrentActivities". Known: activityTaskPollerBehavior, ',
    ],
    [
      { worker: { taskQueue: 'mine' } },
      'config: worker: unknown option "taskQueue". Known: activityTaskPollerBehavior, ',
    ],
    [
      {
        worker: {
          workerDeploymentOptions: {
            version: { deploymentName: 'reports', buildId: '1' },
            useWorkerVersioning: true,
          },
        },
      },
      `config: option 'worker.workerDeploymentOptions.defaultVersioningBehavior' expected one of "PINNED", "AUTO_UPGRADE"`,
    ],
    [
      { temporal: { adress: 'x' } },
      'config: temporal: unknown option "adress". Did you mean "address"?',
    ],
    [
      { webhooks: { secrets: [] } },
      'config: webhooks: unknown option "secrets". Did you mean "secret"?',
    ],
    [{ site: 'x' }, 'config: unknown option "site". Known: '],
    [{ debug: 'yes' }, "config: option 'debug' expected boolean, got string."],
    [
      { apiAuthentication: true },
      "config: option 'apiAuthentication' expected a function, got true.",
    ],
    [
      { services: 'database' },
      'config: option \'services\' expected an object or a function that returns one, got "database".',
    ],
    [{ server: { bodyLimit: 1.5 } }, "config: option 'server.bodyLimit' expected"],
    [
      { server: { maxWait: 'long' } },
      'config: option \'server.maxWait\' is not valid: "long" is not a duration.',
    ],
    [{ asyncQueue: '' }, "config: option 'asyncQueue' expected string"],
  ])('%j is refused', (options, message) => {
    const found = messages(options);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it.each([[undefined], [null], ['config'], [[]]])('that is %j is refused', (value) => {
    expect(parseConfig(value).config).toBeUndefined();
    expect(parseConfig(value).problems).toHaveLength(1);
  });

  it('names routes, each with its path', () => {
    const routes = [
      { pipeline: 'report', path: '/ai/report/', async: true },
      { pipeline: 'summarize', stream: undefined },
    ];
    expect(parseConfig({ routes }).config?.routes).toEqual([
      { pipeline: 'report', path: '/ai/report', stream: false, async: true },
      { pipeline: 'summarize', path: '/summarize', stream: false, async: false },
    ]);
  });

  it('refuses routes that are none, with the names that were meant', () => {
    expect(
      messages({
        routes: [{ pipeline: 'a', strem: true }, { path: '/b' }, { pipeline: 'c', path: 'c/:id' }],
      }),
    ).toEqual([
      'config: routes[0]: unknown option "strem". Did you mean "stream"?',
      expect.stringMatching(/^config: option 'routes\[1\]\.pipeline' expected string/),
      expect.stringMatching(
        /^config: option 'routes\[2\]\.path' is not valid: write a path such as "\/ai\/summarize"/,
      ),
    ]);
  });

  it.each(['/.', '/..', '/ai/../health', '/./health', '/ai/..', '/ai/./', '/../pipelines'])(
    'refuses a route at %s, which no client would ask for as it is',
    (path) => {
      expect(messages({ routes: [{ pipeline: 'a', path }] })).toEqual([
        expect.stringContaining('without the segments "." and ".."'),
      ]);
    },
  );

  it.each(['/.well-known/a', '/v1.2/a', '/...', '/a..', '/..a'])('takes a route at %s', (path) => {
    expect(parseConfig({ routes: [{ pipeline: 'a', path }] }).config?.routes[0]?.path).toBe(path);
  });

  it('refuses routes that meet each other or the server itself', () => {
    const routes = [
      { pipeline: 'a', path: '/ai' },
      { pipeline: 'b', path: '/ai' },
      { pipeline: 'c', path: '/ai/stream' },
      { pipeline: 'd', path: '/health' },
      { pipeline: 'e', path: '/ai/streams' },
    ];
    expect(messages({ routes })).toEqual([
      'config: routes[1]: the path "/ai" is taken by the route of "a", /ai.',
      'config: routes[2]: the path "/ai/stream" is taken by the route of "a", /ai.',
      'config: routes[3]: the path "/health" is taken by the server itself.',
    ]);
  });

  it('refuses a route of a pipeline that it does not expose', () => {
    expect(
      messages({ exposePipes: ['a'], routes: [{ pipeline: 'a' }, { pipeline: 'b' }] }),
    ).toEqual([
      'config: routes[1]: "b" is not exposed, so that its route would answer 403. Add it to exposePipes, or take the route out.',
    ]);
  });

  it('lists the origins whose pages may use the API, and no pattern of them', () => {
    const origins = ['https://app.example.com', 'http://localhost:5173'];
    expect(parseConfig({ cors: { origins } }).config?.cors).toEqual({
      origins,
      credentials: false,
    });
    for (const origin of [
      '*',
      'https://app.example.com/',
      'app.example.com',
      'https://*.example.com',
    ]) {
      expect([origin, ...messages({ cors: { origins: [origin] } })]).toEqual([
        origin,
        expect.stringMatching(/'cors\.origins\[0\]' is not valid: write an origin such as/),
      ]);
    }
    expect(messages({ cors: { orgins: [] } })).toEqual(
      expect.arrayContaining(['config: cors: unknown option "orgins". Did you mean "origins"?']),
    );
  });
});
