import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { FlowRequest } from '../../src/data-flow/request.js';
import { formatInterval } from './flow-format.js';

/** What a flow moves rows from and to: `csv › sql`. Undefined where only a run's configuration tells, or a body does it. */
export function wayOf({ work, defaults }: CompiledDataFlow): string | undefined {
  if (work.kind === 'body') return undefined;
  const request: FlowRequest = {
    configuration: defaults,
    trigger: 'manual',
    scheduledAt: undefined,
  };
  try {
    const [source, sink] = [work.source(request), work.sink(request)];
    return `${source.connector.connectorName} › ${sink.connector.connectorName}`;
  } catch {
    return undefined;
  }
}

/** When a flow is started by itself, as the code says: `every 5m`, `cron 0 3 * * * Europe/Berlin`, `after orders`, `by hand`. */
export function whenOf(
  { schedule, after }: Pick<CompiledDataFlow, 'schedule' | 'after'>,
  /** Seconds between runs, where an operator has changed them. */
  runInterval?: number,
): string {
  const parts = [
    timeOf(schedule, runInterval),
    ...(after.length === 0 ? [] : [`after ${after.join(', ')}`]),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'by hand' : parts.join(', ');
}

function timeOf(schedule: CompiledDataFlow['schedule'], interval?: number): string | undefined {
  switch (schedule.kind) {
    case 'cron':
      return `cron ${schedule.cron} ${schedule.timezone}`;
    case 'every':
    case 'heartbeat':
      return `${schedule.kind} ${formatInterval(interval ?? schedule.seconds)}`;
    case 'none':
      return undefined;
  }
}
