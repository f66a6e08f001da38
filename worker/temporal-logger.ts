import type { LogLevel, LogMetadata, Logger as TemporalLogger } from '@temporalio/common';
import type { Log } from '../src/pipeline/context.js';

/** What the SDK says of ordinary failures, with long stacks. Our own lines tell of the same. */
const TOLD_ELSEWHERE: readonly string[] = ['Workflow failed', 'Activity failed'];

/** What it warns of where nothing is wrong: workers of record stores run activities alone. */
const INTENDED = 'No workflows registered, not polling for workflow tasks';

/** Fields that say where a line comes from, and are the same for all lines of a worker or of no use to a reader. */
const LEFT_OUT: readonly string[] = [
  'sdkComponent',
  'taskQueue',
  'namespace',
  'taskToken',
  'isLocal',
  'activityId',
  'workflowType',
];

/**
 * The logger that Temporal's SDK writes to: ours, with our names of fields. Lines of workflow and activity code keep
 * their level; what the SDK tells of its own work counts one level less, warnings and errors aside.
 */
export function temporalLogger(log: Log): TemporalLogger {
  const write = (level: LogLevel, message: string, meta: LogMetadata = {}): void => {
    const effective = effectiveLevel(level, message, meta);
    if (effective !== 'TRACE') log[LEVELS[effective]](fieldsOf(meta), message);
  };
  return {
    log: write,
    trace: (message, meta) => {
      write('TRACE', message, meta);
    },
    debug: (message, meta) => {
      write('DEBUG', message, meta);
    },
    info: (message, meta) => {
      write('INFO', message, meta);
    },
    warn: (message, meta) => {
      write('WARN', message, meta);
    },
    error: (message, meta) => {
      write('ERROR', message, meta);
    },
  };
}

const LEVELS = {
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const satisfies Record<Exclude<LogLevel, 'TRACE'>, keyof Log>;

function effectiveLevel(level: LogLevel, message: string, meta: LogMetadata): LogLevel {
  if (meta['sdkComponent'] === 'workflow' || meta['sdkComponent'] === 'activity') return level;
  if (level === 'WARN' && (TOLD_ELSEWHERE.includes(message) || message === INTENDED))
    return 'DEBUG';
  if (level === 'INFO') return 'DEBUG';
  return level === 'DEBUG' ? 'TRACE' : level;
}

function fieldsOf(meta: LogMetadata): object {
  const { workflowId, runId, workflowRunId, error, ...rest } = meta;
  const temporalRun: unknown = runId ?? workflowRunId;
  const kept = Object.entries(rest).filter(([name]) => !LEFT_OUT.includes(name));
  return {
    ...(workflowId !== undefined && { run: workflowId as unknown }),
    ...(temporalRun !== undefined && { temporalRun }),
    ...Object.fromEntries(kept),
    ...(error !== undefined && { err: error as unknown }),
  };
}
