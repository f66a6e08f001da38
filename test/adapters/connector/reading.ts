import type { Row } from '../../../src/data-flow/row.js';
import type { SourceBatch, SourceConnector, SourceContext } from '../../../src/data-flow/source.js';
import type { Json, JsonObject } from '../../../src/definition/json.js';
import { connectorContext } from '../../../testing/source-conformance.js';

/** How a test reads. */
export interface Reading {
  readonly dir?: string;
  readonly cursor?: Json;
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly entities?: SourceContext['entities'];
}

/** Opens a source as a flow does. */
export function reading(
  source: SourceConnector,
  options: JsonObject,
  { cursor, batchSize = 200, signal, dir, entities }: Reading = {},
): AsyncIterable<SourceBatch> {
  const context: SourceContext = {
    ...connectorContext(source.options.parse(options) as JsonObject, {
      ...(dir !== undefined && { dir }),
      ...(entities !== undefined && { entities }),
    }),
    ...(signal !== undefined && { signal }),
    cursor,
    batchSize,
  };
  return source.read(context as SourceContext<never>);
}

/** What a source gives, to its end. */
export async function batchesOf(
  source: SourceConnector,
  options: JsonObject,
  how: Reading = {},
): Promise<readonly SourceBatch[]> {
  const batches: SourceBatch[] = [];
  for await (const batch of reading(source, options, how)) batches.push(batch);
  return batches;
}

export async function rowsOf(
  source: SourceConnector,
  options: JsonObject,
  how: Reading = {},
): Promise<readonly Row[]> {
  return (await batchesOf(source, options, how)).flatMap(({ rows }) => rows);
}

/** The error that reading ends with. */
export async function errorOf(
  source: SourceConnector,
  options: JsonObject,
  how: Reading = {},
): Promise<unknown> {
  return batchesOf(source, options, how).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Where a source goes on after all that it gives. */
export async function lastCursor(
  source: SourceConnector,
  options: JsonObject,
  how: Reading = {},
): Promise<Json> {
  return (await batchesOf(source, options, how)).at(-1)?.cursor ?? null;
}
