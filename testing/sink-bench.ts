import assert from 'node:assert/strict';
import type { FlowPosition } from '../src/data-flow/position.js';
import { countBatch, NO_ROWS, type Row, type Written } from '../src/data-flow/row.js';
import type {
  OpenSink,
  SinkBatch,
  SinkConnector,
  SinkContext,
  SinkReceipt,
} from '../src/data-flow/sink.js';
import { canonicalJson, type Json, type JsonObject } from '../src/definition/json.js';
import { connectorContext, type ConnectorSurroundings } from './source-conformance.js';

/** What a sink writes to in one check. */
export interface SinkUnderCheck extends ConnectorSurroundings {
  /** As a flow would write them. */
  readonly options: JsonObject;
  /** What has arrived, in any order: for each row what {@link SinkCheckOptions.row} gave, or what `arrives` makes of it. */
  readonly content: () => Promise<readonly unknown[]> | readonly unknown[];
  /** Another place to write to, which is not empty: what a flow has there when its options change. */
  readonly other?: Pick<SinkUnderCheck, 'options' | 'content'>;
  /** Takes down what was set up. */
  readonly tearDown?: () => Promise<void> | void;
}

/** What {@link sinkChecks} takes. */
export interface SinkCheckOptions {
  readonly sink: SinkConnector;
  /** Called by each check: an empty place to write to. */
  readonly setUp: () => Promise<SinkUnderCheck> | SinkUnderCheck;
  /** The row of a number, from 0. Each has its own key, where the sink has keys. */
  readonly row: (number: number) => Row;
  /** The row of the same key with other values, where the sink has keys. */
  readonly changed?: (number: number) => Row;
  /** How a row looks where it arrives; as it is unless given. */
  readonly arrives?: (row: Row) => unknown;
  /** A row of a number that the sink refuses, where it tells of rows that are at fault by {@link RowsRefused}. */
  readonly refused?: (number: number) => Row;
  /** True when a batch that comes again must not be there twice: the sink has keys, a state or keeps the position. */
  readonly once: boolean;
}

const FLOW = 'conformance';
const CATALOG = '01CONFORMANCE0000000000000';

/** Rows of a batch. */
export const SIZE = 5;

/** Opens the sink as a flow does, and knows what has to be there. */
export class Bench {
  readonly #options: SinkCheckOptions;
  readonly #under: SinkUnderCheck;
  readonly #open: Writer[] = [];

  constructor(options: SinkCheckOptions, under: SinkUnderCheck) {
    this.#options = options;
    this.#under = under;
  }

  get other(): SinkUnderCheck['other'] {
    return this.#under.other;
  }

  async writer(
    runSeq: number,
    from: FlowPosition = beginning(),
    { flowId = CATALOG, options = this.#under.options }: Opening = {},
  ): Promise<Writer> {
    const { sink } = this.#options;
    const context: SinkContext = {
      // Checked and with defaults, as the loader does.
      ...connectorContext(sink.options.parse(options) as JsonObject, this.#under),
      flow: FLOW,
      flowId,
      runSeq,
      state: jsonCopy(from.sinkState),
    };
    // The connector's options are erased; its own schema has just made them.
    const open = await sink.open(context as SinkContext<never>);
    const writer = new Writer(open, { flowId, runSeq }, from);
    this.#open.push(writer);
    await writer.takeOver();
    return writer;
  }

  rows(batch: number): readonly Row[] {
    return numbers(batch).map((number) => this.#options.row(number));
  }

  changedRows(batch: number): readonly Row[] {
    const { changed, row } = this.#options;
    return numbers(batch).map((number) => (changed ?? row)(number));
  }

  refusedRow(number: number): Row {
    const { refused, row } = this.#options;
    return (refused ?? row)(number);
  }

  async assertContent(batches: number): Promise<void> {
    const all = Array.from({ length: batches }, (_, batch) => this.rows(batch)).flat();
    await this.assertRows(all);
  }

  async assertRows(rows: readonly Row[]): Promise<void> {
    // Copied, as a native driver's lists may be arrays of another realm in a test framework.
    const content = await this.#under.content();
    assert.deepEqual([...content].map(canonicalJson).sort(), this.#texts(rows));
  }

  /** Others may be there, and the same twice. */
  async assertHas(
    rows: readonly Row[],
    { content }: Pick<SinkUnderCheck, 'content'> = this.#under,
  ): Promise<void> {
    const there = new Set([...(await content())].map(canonicalJson));
    const missing = this.#texts(rows).filter((text) => !there.has(text));
    assert.deepEqual(missing, [], 'Rows are missing.');
  }

  #texts(rows: readonly Row[]): string[] {
    const { arrives = (row: Row): unknown => row } = this.#options;
    return [...rows].map(arrives).map(canonicalJson).sort();
  }

  async close(): Promise<void> {
    for (const writer of this.#open) await writer.close();
  }
}

/** What is not as usual when a sink is opened. */
interface Opening {
  readonly flowId?: string;
  readonly options?: JsonObject;
}

/** A sink that is open, and the position of the flow that writes to it. */
export class Writer {
  readonly #sink: OpenSink;
  readonly #run: { readonly flowId: string; readonly runSeq: number };
  #position: FlowPosition;
  #closed = false;

  constructor(
    sink: OpenSink,
    run: { readonly flowId: string; readonly runSeq: number },
    position: FlowPosition,
  ) {
    this.#sink = sink;
    this.#run = run;
    this.#position = position;
  }

  get position(): FlowPosition {
    return this.#position;
  }

  get keepsPosition(): boolean {
    return this.#sink.takeOver !== undefined;
  }

  async takeOver(): Promise<void> {
    if (this.#sink.takeOver !== undefined)
      this.#position = await this.#sink.takeOver(this.#position);
  }

  async write(rows: readonly Row[]): Promise<SinkReceipt> {
    const { step, cursor, counts } = this.#position;
    const next = (written: Written): FlowPosition => ({
      runSeq: this.#run.runSeq,
      step: step + 1,
      cursor: [cursor, rows.length],
      sinkState: null,
      counts: countBatch(counts, { read: rows.length, rejected: 0, skipped: 0 }, written),
    });
    // As the flow's: more rows are another batch.
    const idempotencyKey = `${this.#run.flowId}/${String(step)}/${String(rows.length)}`;
    const batch: SinkBatch = { rows, idempotencyKey, step, next, refusalsLeft: 100 };
    const receipt = await this.#sink.write(batch);
    this.#position = { ...next(receipt.written), sinkState: receipt.state ?? null };
    return receipt;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#sink.close?.();
  }
}

function beginning(): FlowPosition {
  return { runSeq: 0, step: 0, cursor: null, sinkState: null, counts: NO_ROWS };
}

/** Of the rows of a batch. */
export function numbers(batch: number): readonly number[] {
  return Array.from({ length: SIZE }, (_, index) => batch * SIZE + index);
}

function jsonCopy(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
