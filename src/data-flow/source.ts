import type { z } from 'zod';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Json, JsonObject } from '../definition/json.js';
import type { Site } from '../definition/problem.js';
import type { Log, RunReference, Services } from '../pipeline/context.js';
import type { EntityCatalog } from '../attribute-pipeline/entity-catalog.js';
import type { ObjectType } from '../pipeline/operation.js';
import type { Row } from './row.js';

/** What sources, sinks and transforms get beside what they work on. */
export interface ConnectorContext<Options = JsonObject> {
  /** Checked, with defaults; `secret://` and `${ENV}` references are resolved. */
  readonly options: Options;
  /** The project's folder, absolute: relative paths of options start there. */
  readonly dir: string;
  /** Aborted when the run is cancelled, the attempt times out or the worker stops. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly run: RunReference;
  readonly services: Services;
  /** Entities and their values, opened when they are asked for. What is changed there has the pipelines run that read it. */
  readonly entities: () => Promise<EntityCatalog>;
}

/** What a source gets. */
export interface SourceContext<Options = JsonObject> extends ConnectorContext<Options> {
  /** Where to go on: the `cursor` of the last batch that is safe in the sink. Undefined: from the beginning. */
  readonly cursor: Json | undefined;
  /** Most rows of one batch. */
  readonly batchSize: number;
}

/** What is where a row should be, and cannot be read as one: a broken line of a file. */
export interface UnreadableRow {
  /** Its place in the batch, from 0, counted together with the rows: 1 stands between the first row and the second. */
  readonly at: number;
  readonly reason: string;
  /** What is there, as text for instance. */
  readonly row: unknown;
}

/** Rows that are moved together. */
export interface SourceBatch<R extends Row = Row> {
  /** In the order of the source; at most `batchSize`, with those in `rejected`. May be empty, to move the cursor alone. */
  readonly rows: readonly R[];
  /**
   * What could not be read, where the source can go on behind it. It is kept as rejected and counts as read. What cannot be passed,
   * or may be the fault of the whole source, is an error that `read` throws.
   */
  readonly rejected?: readonly UnreadableRow[];
  /** Where to go on when these rows are safe in the sink. Another one with each batch that has rows, rejected ones included. */
  readonly cursor: Json;
  /** How much of everything has been read with these rows, 0 to 1, where the source can tell. */
  readonly fraction?: number;
  /**
   * Called when the batch is safe in the sink and the cursor has passed it: for sources that note what was taken. After a crash
   * between the two it is not called, so that what is not noted has to be given again.
   *
   * @param taken - those of `rows` that were not rejected, the same objects
   */
  acknowledge?(taken: readonly R[]): Promise<void>;
}

/** What {@link defineSource} takes. */
export interface SourceDefinition<O extends ObjectType, R extends Row> {
  /** What YAML calls it: `class_name: csv`. */
  readonly name: string;
  readonly description?: string;
  readonly options: O;
  /**
   * Gives what there is after the cursor, batch by batch and in order, and ends when there is no more for now. The same cursor
   * gives the same rows again, unless the source itself has changed. Closing the iterator releases what it holds.
   */
  readonly read: (context: SourceContext<z.output<O>>) => AsyncIterable<SourceBatch<R>>;
}

/** A source with its options, as a flow names it. */
export interface SourceUse<R extends Row = Row> {
  readonly connector: SourceConnector<R>;
  /** As they were written; checked when the flow is loaded. */
  readonly options: JsonObject;
}

/** A source as the registry keeps it, with its types erased. Made by {@link defineSource}. */
export interface SourceConnector<R extends Row = Row> extends Branded<'source'> {
  readonly connectorName: string;
  readonly description?: string;
  readonly site?: Site;
  readonly options: ObjectType;
  readonly read: (context: SourceContext<never>) => AsyncIterable<SourceBatch<R>>;
}

/** A source that can be called with its options: `csvSource({ path: 'orders.csv' })`. */
export type Source<O extends ObjectType = ObjectType, R extends Row = Row> = SourceConnector<R> &
  ((options: z.input<O>) => SourceUse<R>);

/**
 * Defines a source, to be used in data flows: in TypeScript by calling it with its options, in YAML by its name.
 *
 * @example
 * ```ts
 * export const numbers = defineSource({
 *   name: 'numbers',
 *   options: z.object({ upTo: z.number().int() }),
 *   async *read({ options, cursor, batchSize }) {
 *     for (let next = Number(cursor ?? 0); next < options.upTo; next += batchSize) {
 *       const end = Math.min(next + batchSize, options.upTo);
 *       const rows = Array.from({ length: end - next }, (_, at) => ({ number: next + at + 1 }));
 *       yield { rows, cursor: end, fraction: end / options.upTo };
 *     }
 *   },
 * });
 * ```
 */
export function defineSource<O extends ObjectType, R extends Row>(
  definition: SourceDefinition<O, R>,
): Source<O, R> {
  const site = callerSite();
  const use = (options: z.input<O>): SourceUse<R> => ({
    connector: source,
    options: options as JsonObject,
  });
  const source: Source<O, R> = Object.assign(use, {
    [DEFINITION]: 'source' as const,
    connectorName: definition.name,
    ...(definition.description !== undefined && { description: definition.description }),
    options: definition.options,
    // Options are parsed by the connector's own schema before it is asked.
    read: (context: SourceContext<never>) => definition.read(context),
    ...(site !== undefined && { site }),
  });
  return source;
}
