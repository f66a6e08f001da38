import { describe, expect, it } from '@jest/globals';
import { loadConfig, type LoadedConfig } from '../../../engine/project/load-config.js';
import { loadProject } from '../../../engine/project/load-project.js';
import { messagesOf, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

const BASE = 'config/millrace/base';
const PRODUCTION = 'config/millrace/environments/production';

async function load(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<LoadedConfig> {
  return loadConfig(await writeProject(temporary.path, files), env);
}

describe('a configuration in TOML', () => {
  it('has what its base says, over it what its environment does, and over both what the module does', async () => {
    const files = {
      [`${BASE}/common.toml`]: 'async_queue = "orders"\ndebug = true\n',
      [`${BASE}/server.toml`]:
        '[server]\nport = 8080\nmax_wait = "1m"\n[data_flows.heartbeat]\nendpoint_path = "/beat"\n',
      [`${BASE}/worker.toml`]: '[worker]\nmax_concurrent_activity_task_executions = 7\n',
      [`${PRODUCTION}/server.toml`]:
        'debug = false\n[server]\nport = 9090\n[data_flows.heartbeat]\ntrust_proxy = ["loopback"]\n',
      'millrace.config.ts':
        "import { defineConfig } from 'millrace';\nexport default defineConfig({ server: { maxWait: '2m' } });\n",
    };
    const { config, problems, siteOf } = await load(files, { MILLRACE_ENV: 'production' });
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      asyncQueue: 'orders',
      debug: false,
      server: { port: 9090, maxWaitMs: 120_000, host: '127.0.0.1' },
      worker: { maxConcurrentActivityTaskExecutions: 7 },
      dataFlows: { heartbeat: { endpointPath: '/beat', trustProxy: ['loopback'] } },
    });
    expect(siteOf(['server', 'port'])).toEqual({
      file: `${PRODUCTION}/server.toml`,
      line: 3,
      column: 1,
    });
    expect(siteOf(['server', 'maxWait'])).toMatchObject({ file: 'millrace.config.ts', line: 2 });
    expect(siteOf(['server', 'host'])).toBeUndefined();
    // As a whole project sees it, and in another environment.
    const { project } = await loadProject(temporary.path, { env: { NODE_ENV: 'test' } });
    expect(project?.config.server).toMatchObject({ port: 8080, maxWaitMs: 120_000 });
    expect(project?.configFiles).toHaveLength(4);
    const over = { env: {}, config: { server: { port: 1 } } };
    expect((await loadProject(temporary.path, over)).project?.config.server).toMatchObject({
      port: 1,
      maxWaitMs: 120_000,
    });
  });

  it('has lists of tables, and names as code has them within options', async () => {
    const { config, problems } = await load({
      [`${BASE}/common.toml`]: `
[[routes]]
pipeline = "report"
path = "/ai/report"

[worker]
debug_mode = true

[worker.worker_deployment_options]
version = { deployment_name = "shop", build_id = "7" }
use_worker_versioning = true
default_versioning_behavior = "PINNED"
`,
    });
    expect(problems).toEqual([]);
    expect(config?.routes).toEqual([
      { pipeline: 'report', path: '/ai/report', stream: false, async: false },
    ]);
    expect(config?.worker.debugMode).toBe(true);
    expect(config?.worker.workerDeploymentOptions).toEqual({
      version: { deploymentName: 'shop', buildId: '7' },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    });
  });

  it('names options that have capitals in a row as people would', async () => {
    const file = `${BASE}/worker.toml`;
    const right = '[worker]\nenable_sdk_tracing = true\nreuse_v8_context = false\n';
    const { config, siteOf } = await load({ [file]: right });
    expect(config?.worker).toMatchObject({ enableSDKTracing: true, reuseV8Context: false });
    expect(siteOf(['worker', 'enableSDKTracing'])).toMatchObject({ file, line: 2 });
    const wrong = await load({ [file]: '[worker]\nenable_sdk_tracin = true\n' });
    expect(messagesOf(wrong)).toEqual([
      `${file}:2:1  config: worker: unknown option "enable_sdk_tracin". Did you mean "enable_sdk_tracing"?`,
    ]);
  });

  it('is told of files in the wrong place', async () => {
    const files = {
      'config/millrace/common.toml': '',
      'config/millrace/environments/production.toml': '',
      'config/millrace/somebody-elses.toml': '',
      [`${PRODUCTION}/server.toml`]: '',
    };
    expect(messagesOf(await load(files))).toEqual([
      'config/millrace/common.toml  nothing reads this file. Its place is base/common.toml.',
      'config/millrace/environments/production.toml  nothing reads this file. Its place is environments/production/common.toml.',
    ]);
  });

  it('is told of an environment that has no folder, where others have one', async () => {
    const files = { [`${PRODUCTION}/server.toml`]: 'debug = true\n' };
    const { config, problems } = await load(files, { MILLRACE_ENV: 'prodution' });
    expect(config?.debug).toBe(false);
    expect(messagesOf({ problems })).toEqual([
      'warning:  config: MILLRACE_ENV is "prodution", which has no folder in environments/: only what base/ says holds. Did you mean "production"?',
    ]);
    for (const env of [
      { MILLRACE_ENV: 'production' },
      { MILLRACE_ENV: 'test' },
      { NODE_ENV: 'staging' },
      { NODE_ENV: '' },
    ])
      expect((await load(files, env)).problems).toEqual([]);
  });

  it('is told of values that nothing could be done with later', async () => {
    const { problems } = await load({
      [`${BASE}/common.toml`]: `[catalog]
url = "mysql://me:hunter2@db/shop"
[attributes]
nightly = "25:00"
[worker]
debug_mode = 1
sticky_queue_schedule_to_start_timeout = "soon"
[worker.activity_task_poller_behavior]
type = "autoscaling"
maximum = 0
`,
    });
    expect(messagesOf({ problems })).toEqual([
      `${BASE}/common.toml:2:1  config: option 'catalog.url' is not valid: write it as sqlite:<path> or as postgres://user:password@host:5432/database.`,
      `${BASE}/common.toml:4:1  config: option 'attributes.nightly' is not valid: write a time of day such as "02:00", or false.`,
      `${BASE}/common.toml:6:1  config: option 'worker.debugMode' expected boolean, got number.`,
      expect.stringContaining(":7:1  config: option 'worker.stickyQueueScheduleToStartTimeout'"),
      `${BASE}/common.toml:10:1  config: option 'worker.activityTaskPollerBehavior.maximum' expected number >=1, got 0.`,
    ]);
  });

  it('is told of secrets that are not there beside everything else', async () => {
    const { problems } = await load({
      [`${BASE}/common.toml`]: `debug = 3
[approvals]
secret = "\${NO_APPROVAL_SECRET}"
url = "https://jobs.example.com"
[webhooks]
secret = "\${NO_WEBHOOK_SECRET}"
`,
    });
    expect(messagesOf({ problems })).toEqual([
      `${BASE}/common.toml:1:1  config: option 'debug' expected boolean, got number.`,
      `${BASE}/common.toml:3:1  config: approvals.secret: the environment variable NO_APPROVAL_SECRET is not set. Set it before you start, or take the option out.`,
      `${BASE}/common.toml:6:1  config: webhooks.secret: the environment variable NO_WEBHOOK_SECRET is not set. Set it before you start, or take the option out.`,
    ]);
  });

  it('is told where metrics would count nothing', async () => {
    const files = { [`${BASE}/common.toml`]: '[metrics]\nenabled = true\n' };
    expect((await load(files)).problems).toEqual([]);
    const off = await load(files, { MILLRACE_EVENT_BRIDGE_ENABLED: 'false' });
    expect(off.config?.metrics.enabled).toBe(true);
    expect(messagesOf(off)).toEqual([
      'warning:  config: metrics.enabled: nothing is counted, since metrics are made of events, and events.enabled is false.',
    ]);
  });

  it('may begin with a mark of the byte order, and knows no names of JavaScript', async () => {
    const file = `${BASE}/common.toml`;
    expect((await load({ [file]: '\uFEFFdebug = true\r\n' })).config?.debug).toBe(true);
    const text = 'constructor = 2\n[__proto__]\ndebug = true\n[worker.tuner.__proto__]\nx = 1\n';
    const { problems, config } = await load({ [file]: text });
    expect(config).toBeUndefined();
    expect(messagesOf({ problems })).toEqual([
      expect.stringMatching(/^\S+:1:1 {2}config: unknown option "constructor"\./),
      expect.stringMatching(/^\S+:2:2 {2}config: unknown option "__proto__"\./),
    ]);
    expect(({} as { readonly debug?: unknown }).debug).toBeUndefined();
    expect(({} as { readonly x?: unknown }).x).toBeUndefined();
  });

  it('is told everything that is wrong with it, at once, and where', async () => {
    const { config, problems } = await load(
      {
        [`${BASE}/common.toml`]: `catch_all_rout = true
api_authentication = "me"
server = 8080
async_queue = "a"
catchAllRoutes = true
`,
        [`${BASE}/server.toml`]: `async_queue = "b"
[server]
prt = 1
[webhooks]
secret = "plain"
allow = ["10.0.0.0/8", "nowhere"]
[[routes]]
pipeline = "report"
pth = "/x"
`,
        [`${BASE}/worker.toml`]: '[worker]\nmax_cached_workflows = "many"\n',
        [`${BASE}/sever.toml`]: '',
        [`${PRODUCTION}/common.toml`]: 'debug = \n',
      },
      { NODE_ENV: 'production' },
    );
    expect(config).toBeUndefined();
    expect(messagesOf({ problems })).toEqual([
      `${BASE}/common.toml:1:1  config: unknown option "catch_all_rout". Did you mean "catch_all_routes"?`,
      `${BASE}/common.toml:2:1  config: api_authentication is code: set apiAuthentication in millrace.config.ts.`,
      `${BASE}/common.toml:3:1  config: server is a table: write [server].`,
      `${BASE}/common.toml:5:1  config: unknown option "catchAllRoutes". Did you mean "catch_all_routes"?`,
      `${BASE}/server.toml:1:1  config: async_queue is set in ${BASE}/common.toml:4, too. Keep one of them.`,
      `${BASE}/server.toml:3:1  config: server: unknown option "prt". Did you mean "port"?`,
      `${BASE}/server.toml:5:1  config: option 'webhooks.secret' is not valid: it must be a reference such as "secret://webhooks" or "\${WEBHOOK_SECRET}", so that no file holds the secret itself.`,
      `${BASE}/server.toml:6:24  config: option 'webhooks.allow[1]' is not valid: write a range of addresses such as "10.2.0.0/16", or "private" for all that are not public.`,
      `${BASE}/server.toml:9:1  config: routes[0]: unknown option "pth". Did you mean "path"?`,
      `${BASE}/sever.toml  nothing reads this file. There are common.toml, worker.toml, server.toml.`,
      `${BASE}/worker.toml:2:1  config: option 'worker.maxCachedWorkflows' expected number, got string.`,
      `${PRODUCTION}/common.toml:2:1  not valid TOML: Unspecified values are invalid.`,
    ]);
  });
});

describe('a configuration in TOML that names variables', () => {
  const file = `${BASE}/common.toml`;

  it('has what they are, as the kind that the option takes', async () => {
    const toml = `async_queue = "orders-\${STAGE}"
debug = "\${DEBUG}"
execution_retention = "\${KEEP:-30d}"
expose_pipes = ["\${PIPE}", "b"]
[server]
port = "\${PORT:-8080}"
`;
    const env = { STAGE: 'eu', DEBUG: 'true', PIPE: 'a' };
    const { config, problems } = await load({ [file]: toml }, env);
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      asyncQueue: 'orders-eu',
      debug: true,
      executionRetentionMs: 30 * 24 * 60 * 60_000,
      exposePipes: ['a', 'b'],
      server: { port: 8080 },
    });
    const other = await load({ [file]: toml }, { ...env, PORT: '9', STAGE: '7' });
    expect(other.config).toMatchObject({ asyncQueue: 'orders-7', server: { port: 9 } });
  });

  it('keeps references for where they are used, and puts in what holds without the variable', async () => {
    const toml = `[webhooks]
secret = "\${WEBHOOK_SECRET}"
[catalog]
url = "\${CATALOG:-sqlite:other.db}"
`;
    const set = await load({ [file]: toml }, { WEBHOOK_SECRET: 'whsec_x', CATALOG: 'sqlite:a.db' });
    expect(set.config).toMatchObject({
      webhooks: { secrets: ['${WEBHOOK_SECRET}'] },
      catalog: { url: '${CATALOG}' },
    });
    const unset = await load({ [file]: toml });
    expect(messagesOf(unset)).toEqual([
      `${file}:2:1  config: webhooks.secret: the environment variable WEBHOOK_SECRET is not set. Set it before you start, or take the option out.`,
    ]);
    expect(unset.written).toMatchObject({ catalog: { url: 'sqlite:other.db' } });
  });

  it('is refused where one is not set, or is not what the option takes', async () => {
    const toml = 'async_queue = "${NOWHERE}"\n[server]\nport = "${PORT}"\n';
    expect(messagesOf(await load({ [file]: toml }, { PORT: 'high' }))).toEqual([
      `${file}:1:1  config: async_queue: the environment variable NOWHERE is not set. Set it before you start, or write what it is then: \${NOWHERE:-…}.`,
      `${file}:3:1  config: option 'server.port' expected number, got string.`,
    ]);
  });
});

describe('the folder of a configuration in TOML', () => {
  it('is where MILLRACE_CONFIG_PATH says', async () => {
    const files = { 'etc/base/common.toml': 'debug = true\n' };
    const { config } = await load(files, { MILLRACE_CONFIG_PATH: 'etc' });
    expect(config?.debug).toBe(true);
    const { watched } = await loadProject(temporary.path, { env: { MILLRACE_CONFIG_PATH: 'etc' } });
    expect(watched.filter((path) => path.endsWith('etc/base/common.toml'))).toHaveLength(1);
    const nowhere = await load(files, { MILLRACE_CONFIG_PATH: 'nowhere' });
    expect(messagesOf(nowhere)[0]).toMatch(/^MILLRACE_CONFIG_PATH: there is no folder .*nowhere\./);
    const odd = await load(files, { MILLRACE_ENV: '../secrets' });
    expect(messagesOf(odd)).toEqual([
      'MILLRACE_ENV names a folder of environments/, and is "../secrets". Use letters, digits and . _ -.',
    ]);
  });
});
