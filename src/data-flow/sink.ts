import type { z } from 'zod';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Json, JsonObject } from '../definition/json.js';
import type { Site } from '../definition/problem.js';
import type { ObjectType } from '../pipeline/operation.js';
import type { FlowPosition } from './position.js';
import type { Row, Written } from './row.js';
import type { ConnectorContext } from './source.js';

/** What a sink gets. */
export interface SinkContext<Options = JsonObject> extends ConnectorContext<Options> {
  /** The flow, whose position a sink may keep. */
  readonly flow: string;
  /** Of the flow in its catalog, a ULID. A catalog that is begun anew has another, and counts its runs from one again. */
  readonly flowId: string;
  readonly runSeq: number;
  /** What the sink has returned with the last batch that counts; null when it never has. What it wrote after that is to be undone, where it can. */
  readonly state: Json;
}

/** A batch on its way into a sink. */
export interface SinkBatch<W extends Row = Row> {
  readonly rows: readonly W[];
  /** The same for the same batch, however often it is tried: for receivers that can drop what they have already. */
  readonly idempotencyKey: string;
  /** Of the position that the flow has before this batch. */
  readonly step: number;
  /** The position that the flow has after this batch. For sinks that keep it in the transaction of their rows. */
  readonly next: (written: Written) => FlowPosition;
  /** So many rows may still be rejected before the run fails: a sink that has found more to refuse need not look for others. */
  readonly refusalsLeft: number;
}

/** What a sink did with a batch. */
export interface SinkReceipt {
  readonly written: Written;
  /** Given to the sink when it is opened again; see {@link SinkContext.state}. */
  readonly state?: Json;
}

/** A sink that is open. */
export interface OpenSink<W extends Row = Row> {
  /**
   * What counts before the first batch, where it is not what the sink was opened with: the length of a file that has something
   * already. It is kept, so that a first batch which is repeated is undone, too.
   */
  readonly state?: Json;
  /**
   * Writes the rows. When it resolves they are safe: the cursor moves on. A batch may come again after a crash; a sink with keys
   * then changes nothing.
   *
   * @throws {@link RowsRefused} when some of the rows are at fault, and nothing of the batch is written. They are kept as rejected,
   *   and the batch comes again without them. Any other error is tried again, or ends the run
   * @throws {@link FenceLost} where it keeps the position and another writer has moved it
   */
  readonly write: (batch: SinkBatch<W>) => Promise<SinkReceipt>;
  /**
   * For sinks that keep a flow's position in the transaction of their rows, so that each row is written exactly once. Called
   * before the first batch: takes over from earlier runs, which can write no more from then on.
   *
   * @param known - what the catalog has, which may be behind
   * @returns the position that counts: the sink's own unless the catalog's is of a later run
   * @throws {@link FenceLost} when a later run has taken over already
   */
  readonly takeOver?: (known: FlowPosition) => Promise<FlowPosition>;
  readonly close?: () => Promise<void>;
}

/** What {@link defineSink} takes. */
export interface SinkDefinition<O extends ObjectType, W extends Row> {
  /** What YAML calls it: `class_name: sql`. */
  readonly name: string;
  readonly description?: string;
  readonly options: O;
  readonly open: (context: SinkContext<z.output<O>>) => Promise<OpenSink<W>> | OpenSink<W>;
}

/** A sink with its options, as a flow names it. */
export interface SinkUse<W extends Row = Row> {
  readonly connector: SinkConnector<W>;
  /** As they were written; checked when the flow is loaded. */
  readonly options: JsonObject;
}

/** A sink as the registry keeps it, with its types erased. Made by {@link defineSink}. */
export interface SinkConnector<W extends Row = Row> extends Branded<'sink'> {
  readonly connectorName: string;
  readonly description?: string;
  readonly site?: Site;
  readonly options: ObjectType;
  readonly open: (context: SinkContext<never>) => Promise<OpenSink<W>> | OpenSink<W>;
}

/** A sink that can be called with its options: `sqlSink({ table: 'orders', key: ['id'] })`. */
export type Sink<O extends ObjectType = ObjectType, W extends Row = Row> = SinkConnector<W> &
  ((options: z.input<O>) => SinkUse<W>);

/**
 * Defines a sink, to be used in data flows: in TypeScript by calling it with its options, in YAML by its name.
 *
 * @example
 * ```ts
 * export const mailbox = defineSink({
 *   name: 'mailbox',
 *   options: z.object({ address: z.string() }),
 *   open: ({ options, services }) => ({
 *     write: async ({ rows, idempotencyKey }) => {
 *       await services.mail.send(options.address, rows, idempotencyKey);
 *       return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
 *     },
 *   }),
 * });
 * ```
 */
export function defineSink<O extends ObjectType, W extends Row>(
  definition: SinkDefinition<O, W>,
): Sink<O, W> {
  const site = callerSite();
  const use = (options: z.input<O>): SinkUse<W> => ({
    connector: sink,
    options: options as JsonObject,
  });
  const sink: Sink<O, W> = Object.assign(use, {
    [DEFINITION]: 'sink' as const,
    connectorName: definition.name,
    ...(definition.description !== undefined && { description: definition.description }),
    options: definition.options,
    // Options are parsed by the connector's own schema before it is asked.
    open: (context: SinkContext<never>) => definition.open(context),
    ...(site !== undefined && { site }),
  });
  return sink;
}
