/** Types of search attribute that a Temporal server knows. */
export type SearchAttributeTypeName =
  'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

/** What the dev server is told on its command line. */
export interface ServerSettings {
  readonly ip: string;
  readonly port: number;
  /** Undefined: no web UI. */
  readonly uiPort: number | undefined;
  readonly namespace: string;
  /** Undefined: state is kept in memory and lost at the end. */
  readonly databaseFile: string | undefined;
  readonly searchAttributes: Readonly<Record<string, SearchAttributeTypeName>>;
}

/**
 * Settings that make one shard on one machine fast. As shipped, the dev server polls its queues 20
 * times a second, so each task waits up to 50 ms: three remote activities in a row took 350 ms,
 * with these settings about 60 ms (measured on two cores). Timers and retries may come late by the last of them, as shipped a second:
 * a retry after 50 ms took 1,050 ms, with it about 110 ms.
 */
const DYNAMIC_CONFIG: Readonly<Record<string, string>> = {
  'history.transferProcessorMaxPollRPS': '2000',
  'history.timerProcessorMaxPollRPS': '2000',
  'system.enableActivityEagerExecution': 'true',
  'history.timerProcessorMaxTimeShift': '"50ms"',
};

/** With its default pragmas a file database halves the throughput; these win it back. */
const SQLITE_PRAGMAS: Readonly<Record<string, string>> = {
  journal_mode: 'WAL',
  synchronous: 'NORMAL',
};

/** The arguments of `temporal` for a dev server with these settings. */
export function serverArguments(settings: ServerSettings): readonly string[] {
  const { ip, port, uiPort, namespace, databaseFile, searchAttributes } = settings;
  return [
    ...[
      'server',
      'start-dev',
      '--ip',
      ip,
      '--port',
      String(port),
      '--namespace',
      namespace,
      '--log-level',
      'warn',
    ],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...pairs('--dynamic-config-value', DYNAMIC_CONFIG),
    ...(databaseFile === undefined
      ? []
      : ['--db-filename', databaseFile, ...pairs('--sqlite-pragma', SQLITE_PRAGMAS)]),
    ...pairs('--search-attribute', searchAttributes),
  ];
}

/** The server's environment: the given one, with rarer garbage collection and without settings meant for clients. */
export function serverEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(kept), GOGC: '400' };
}

function pairs(flag: string, values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
}
