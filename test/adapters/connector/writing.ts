import { isRowsRefused, type RefusedRow } from '../../../src/data-flow/refusal.js';
import type { Row } from '../../../src/data-flow/row.js';
import { NO_ROWS } from '../../../src/data-flow/row.js';
import type { FlowPosition } from '../../../src/data-flow/position.js';
import type {
  OpenSink,
  SinkBatch,
  SinkConnector,
  SinkContext,
} from '../../../src/data-flow/sink.js';
import type { Json, JsonObject } from '../../../src/definition/json.js';
import { connectorContext } from '../../../testing/source-conformance.js';

/** How a test opens a sink. */
export interface Opening {
  readonly dir?: string;
  readonly state?: Json;
  readonly runSeq?: number;
  readonly flowId?: string;
  readonly warn?: SinkContext['log']['warn'];
  readonly signal?: AbortSignal;
  readonly entities?: SinkContext['entities'];
}

/** Opens a sink as a flow does. */
export async function opened(
  sink: SinkConnector,
  options: JsonObject,
  { dir, state = null, runSeq = 1, flowId = 'catalog-a', warn, signal, entities }: Opening = {},
): Promise<OpenSink> {
  const base = connectorContext(sink.options.parse(options) as JsonObject, {
    ...(dir !== undefined && { dir }),
    ...(entities !== undefined && { entities }),
  });
  const context: SinkContext = {
    ...base,
    ...(warn !== undefined && { log: { ...base.log, warn } }),
    ...(signal !== undefined && { signal }),
    flow: 'test',
    flowId,
    runSeq,
    state,
  };
  return sink.open(context as SinkContext<never>);
}

export const BEGINNING: FlowPosition = {
  runSeq: 0,
  step: 0,
  cursor: null,
  sinkState: null,
  counts: NO_ROWS,
};

/** A batch of a run's first attempt. */
export function batch(rows: readonly Row[], step = 0, runSeq = 1): SinkBatch {
  return {
    rows,
    idempotencyKey: `test/${step}`,
    refusalsLeft: 100,
    step,
    next: () => ({ ...BEGINNING, runSeq, step: step + 1, cursor: step + 1 }),
  };
}

/** What a sink refuses of a batch. */
export async function refusal(writing: Promise<unknown>): Promise<readonly RefusedRow[]> {
  const error: unknown = await writing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (isRowsRefused(error)) return error.refused;
  throw new Error('The sink has not refused rows.', { cause: error });
}
