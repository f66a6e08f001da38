/**
 * What each option of the configuration does, by its path: Markdown, whose links are seen from `docs/`. A test compares the names with those of
 * the schema.
 */
export const OPTION_TEXTS: Readonly<Record<string, string>> = {
  configPath:
    "A folder, relative to the project, with more YAML: `config.yml` is then read from there (and not from the project's own folder), and pipelines from the YAML files in it and in its `pipelines/`.",
  autoloadPaths:
    'More files or folders, relative to the project, whose modules export definitions. `operations/`, `pipelines/`, `flows/`, `connectors/`, `records/`, `modules/`, `handlers/`, `tasks/`, `subscribers/`, `activities/` and `workflows/*.contract.ts` are found without being named. Functions are [activities](own-workflows.md#activities) there, too, where the folder is called `activities`. A config that sets this option is evaluated twice.',
  pluginPaths:
    'Folders, relative to the project, of [plugins](generators.md#plugins), or with plugins in them. Plugins that are packages are found in `node_modules`.',
  debug: 'Logs at level `debug`: also each operation that completed.',
  catchAllRoutes:
    '`true` serves every exposed definition under `/pipelines/:name`, tasks under `/tasks/:name`. With `false` only those are served that `routes` names, or that code mounts. Where neither gives a route, `millrace server` and `millrace dev` say so when they start.',
  routes:
    'Definitions that are served at paths of their own: `{ pipeline, path?, stream?, async? }`, see [Routes](configuration.md#routes).',
  'cors.origins':
    "Origins such as `'https://app.example.com'` whose pages a browser lets use the API. No patterns, and no `*`. Without it no page of another origin can read an answer.",
  'cors.credentials': 'Whether browsers may send their cookies along.',
  apiAuthentication:
    '`(ctx) => principal`, which may be asynchronous. `false` answers 401. A principal is a text, or an object with an `id`; the id is recorded with each run that the request starts. Without it the server listens on loopback only.',
  authorizeExecution:
    "`(ctx, execution) => boolean`, which may be asynchronous: which runs a request may see and cancel. See [Runs of one's own](embedding.md#runs-of-ones-own). Without it whoever may see a pipeline may see all of its runs.",
  authorizeDataFlows:
    "`(ctx, { access, flow }) => boolean`, which may be asynchronous: who may look at data flows (`access: 'read'`) and steer them (`'write'`); `flow` is undefined for the list. Anything but `true` answers 403. The heartbeat has [its own authentication](configuration.md#data-flows). Without it whoever may use the API may do both.",
  authorizeAttributes:
    "`(ctx, { access, entityType }) => boolean`, which may be asynchronous: who may look at entities, attributes and their pipelines (`access: 'read'`), change entities and values (`'edit'`), run pipelines (`'run'`), and change types, attributes, pipelines and evals (`'design'`). Anything but `true` answers 403.",
  authorizeRecordPipelines:
    "`(ctx, { access, pipeline }) => boolean`, which may be asynchronous: who may look at record pipelines and the records of their stores (`access: 'read'`), run them and make versions (`'write'`), and make a version current (`'restore'`); `pipeline` is undefined for the list. Anything but `true` answers 403.",
  beforeExecute:
    '`(name, input, ctx)`, called after the input was checked and before the run is started; `ctx.state.principal` is what `apiAuthentication` answered. `false` answers 403, `{ status, error }` that status and text, and a thrown error refuses the request as well. Anything else lets it pass.',
  afterExecute:
    '`(name, outcome, info)`, called once for each run that ended, in whichever way: also for asynchronous runs and for those whose client left. It runs in a worker, and again if it throws, so let a repetition do no harm. A worker whose configuration lacks it, though that of the server has it, warns and leaves it to another one; after five attempts, half a minute apart, it is given up with an error in the log.',
  exposePipes:
    "Which definitions the HTTP API shows: `'all'`, `'none'`, or a list of names. A name that nothing has is refused. Attribute pipelines are none of them: see `authorizeAttributes`. The engine and the CLI reach all.",
  asyncQueue: 'The Temporal task queue that runs are put into and workers poll.',
  executionRetention:
    "How long Temporal keeps runs that have ended, and with them results and idempotency keys. It sets the retention of a namespace that may be changed; where it may not be and is shorter, a warning says so. Temporal's least is one day.",
  trackExecutions:
    'Accepted, without effect: Temporal keeps track of every run. `false` is warned about.',
  services:
    'What every operation and activity gets as `services`: an object, or a function (which may be asynchronous) that each worker calls once.',
  disposeServices: 'Called with the services when the worker has stopped, to close what they hold.',
  secrets:
    '`(name) => text`, which may be asynchronous: what `secret://name` stands for. See [Secrets](configuration.md#secrets).',
  'worker.enabled':
    'Whether `millrace server` [runs a worker, too](deployment.md#a-server-that-works-too). `millrace worker` and `millrace dev` do in any case. `MILLRACE_WORKER_ENABLED` wins over it.',
  'worker.http.host':
    'The address on which `millrace worker` answers [probes](deployment.md#health-and-readiness). It asks nobody who they are.',
  'worker.http.port':
    'The port for that; without one it does not listen. `--port` and `MILLRACE_WORKER_PORT` win over it. 0 takes any free port.',
  'worker.workerDeploymentOptions':
    '[Worker Versioning](deployment.md#worker-versioning): `version` (`deploymentName`, `buildId`), `useWorkerVersioning`, `defaultVersioningBehavior`.',
  'worker.identity': "The worker's name in Temporal's UI and histories.",
  'worker.maxConcurrentActivityTaskExecutions': 'Most operations at once in a worker.',
  'worker.maxConcurrentLocalActivityExecutions':
    'Most groups of quick operations at once in a worker.',
  'worker.maxConcurrentWorkflowTaskExecutions': 'Most runs that take a step at once in a worker.',
  'worker.maxCachedWorkflows': 'Runs that a worker keeps in memory between two of their steps.',
  'worker.maxTaskQueueActivitiesPerSecond':
    'Most operations a second that are started on the task queue, over all workers.',
  'worker.maxActivitiesPerSecond': 'Most operations a second that this worker starts.',
  'worker.maxEagerActivityReservationsPerWorkflowTask':
    'Most operations that a step of a run hands to its own worker directly.',
  'worker.maxConcurrentNexusTaskExecutions': 'Most Nexus tasks at once in a worker.',
  'worker.maxConcurrentWorkflowTaskPolls': 'Polls for steps of runs that wait at once.',
  'worker.maxConcurrentActivityTaskPolls': 'Polls for operations that wait at once.',
  'worker.maxConcurrentNexusTaskPolls': 'Polls for Nexus tasks that wait at once.',
  'worker.workflowThreadPoolSize': 'Threads that run workflow code.',
  'worker.nexusServices': 'Nexus services that the worker serves.',
  'worker.patchActivationCallback':
    "Decides whether `patched()` is on for new runs. Not asked about `millrace.timed_out`, which is Millrace's own.",
  'worker.tuner':
    'Slots by resources or by code of yours, instead of the `maxConcurrent…Executions`.',
  'worker.enableNonLocalActivities':
    '`false`: the worker runs workflows and quick operations only; others leave its operations to it.',
  'worker.disablePayloadErrorLimit': 'Lets payloads through that are larger than the server takes.',
  'worker.nonStickyToStickyPollRatio':
    'Share of the polls that look for runs which no worker keeps.',
  'worker.workflowTaskPollerBehavior': 'How many polls wait, fixed or scaled to the load.',
  'worker.activityTaskPollerBehavior': 'The same for operations.',
  'worker.nexusTaskPollerBehavior': 'The same for Nexus tasks.',
  'worker.stickyQueueScheduleToStartTimeout':
    'How long a step waits for the worker that keeps its run.',
  'worker.interceptors':
    'For activities and Nexus; modules of `workflowModules` become part of the workflow bundle.',
  'worker.plugins': "Temporal's worker plugins.",
  'worker.sinks': 'Functions outside of the sandbox that hand-written workflows call.',
  'worker.workflowFailureErrorTypes':
    'Errors that end a hand-written workflow instead of its step.',
  'worker.enableSDKTracing': 'Traces of the SDK itself.',
  'worker.showStackTraceSources': 'Sources in stack traces that the Temporal UI shows.',
  'worker.debugMode': 'For stepping through workflow code with a debugger.',
  'worker.reuseV8Context': 'One JavaScript context for all runs.',
  'worker.shutdownGraceTime':
    'How long a worker that was told to stop lets its operations finish. What has not finished by then is taken over by another worker.',
  'temporal.profile': 'A profile of `temporal.toml`.',
  'temporal.address': '`host:port` of the Temporal server.',
  'temporal.namespace': 'The namespace of the runs.',
  'server.host':
    'The address to listen on. Any that is not loopback needs `apiAuthentication`, or `--insecure`. On loopback without either, requests must name this machine in `Host` (`localhost`, `127.0.0.1`).',
  'server.port': '`--port` and `MILLRACE_PORT` win over it. 0 takes any free port.',
  'server.bodyLimit': 'The largest body of a request, in bytes. A larger one is answered with 413.',
  'server.maxWait':
    'The longest wait of a synchronous request. After that it is answered with 202 and the addresses to look at; the run goes on.',
  'server.sseClients': 'Most event streams at once in a server process.',
  'server.keepAlive':
    'How often an event stream that has nothing to tell sends a comment, so that proxies keep it open.',
  'webhooks.secret':
    "What deliveries are signed with ([Standard Webhooks](https://www.standardwebhooks.com)): a reference such as `'secret://webhooks'` or `'${WEBHOOK_SECRET}'`, or a list of them while a secret is being changed. A secret itself is refused here. Without it deliveries are not signed.",
  'webhooks.allow':
    "Addresses that webhooks may go to though they are not public: ranges such as `'10.2.0.0/16'`, or `'private'` for all private, loopback and link-local ones.",
  'webhooks.maxAge': 'How long a delivery is tried again.',
  'events.enabled': 'Whether workers publish [events](event-bridge.md) in their processes.',
  'metrics.enabled':
    'Whether runs, steps and operations are counted and timed for [Prometheus](event-bridge.md#prometheus), and `/metrics` is served.',
  'sessions.secret':
    "What sessions are encrypted with: a reference such as `'${SESSION_SECRET}'` for a text of 32 characters or more, or a list of them while one is changed.",
  'sessions.maxAge': 'How long a session lasts. It is not prolonged.',
  'approvals.secret':
    'What [links that answer approvals](tasks.md#approvals) are signed with, as a reference that stands for a text of 32 characters or more. A list of them, while a secret is being changed: the first signs, all are taken. Workers and servers need it.',
  'approvals.url':
    'Where the server is, as those see it who get links: `https://jobs.example.com`. They lead to `/approvals/…` there.',
  'catalog.url':
    "`postgres://…` or `sqlite:<path>`; it may hold [references](configuration.md#secrets), such as `'${CATALOG_URL}'`.",
  'catalog.pool.maxConnections': 'Most connections to PostgreSQL of one process.',
  'catalog.pool.minConnections': 'Connections that are kept though nothing needs them.',
  'catalog.pool.connectionTimeout':
    'The longest wait for a connection, a free one of the pool included.',
  'tasks.handlerPaths':
    'More files or folders, relative to the project, whose modules export step handlers, beside `handlers/`.',
  'tasks.templatePaths':
    'More folders, relative to the project, with task templates in YAML, beside `tasks/`.',
  'dataFlows.routes':
    'Whether the [API of data flows](http-api.md#data-flows) is served under `/data_flows`. The heartbeat is in any case, where there are flows.',
  'dataFlows.heartbeat.endpointPath':
    'Where the [heartbeat](data-flows.md#a-heartbeat-from-cron) is.',
  'dataFlows.heartbeat.authenticationEnabled':
    'Only with the token, in `X-Heartbeat-Token` or as `Authorization: Bearer`; others get 401. Without it `apiAuthentication` is asked.',
  'dataFlows.heartbeat.authenticationToken':
    "The token, as a reference: `'secret://heartbeat'` or `'${HEARTBEAT_TOKEN}'`. One that is enabled and empty is refused at the start.",
  'dataFlows.heartbeat.ipWhitelistingEnabled': 'Only from `whitelistedIps`; others get 403.',
  'dataFlows.heartbeat.whitelistedIps':
    "Addresses and ranges, IPv4 and IPv6: `'203.0.113.7'`, `'10.2.0.0/16'`, `'2001:db8::/32'`.",
  'dataFlows.heartbeat.trustProxy':
    "Proxies whose `X-Forwarded-For` is believed: addresses, ranges, `'loopback'`, `'linklocal'`, `'uniquelocal'`. Without any, the address is that of the connection.",
  'recordPipelines.routes':
    'Whether the [API of record pipelines](http-api.md#record-pipelines) is served under `/record_pipelines`. Restoring a version needs `apiAuthentication` besides.',
  'attributes.routes':
    'Whether the [API of entities and attributes](http-api.md#entities-attributes-and-their-pipelines) is served.',
  'attributes.nightly':
    'When all attribute pipelines run each night, and their evals after them; `false`: not at all.',
  'attributes.timeZone': 'Of `attributes.nightly`.',
};
