import type { DataFlowCatalog, FlowRunRef } from '../../src/data-flow/catalog.js';
import { FLOW_LIMITS } from '../../src/data-flow/limits.js';
import { FenceLost, type FlowPosition } from '../../src/data-flow/position.js';
import { countBatch, type Rejection, type Row, type Written } from '../../src/data-flow/row.js';
import type { MoveOutcome } from '../../src/data-flow/run.js';
import type { OpenSink, SinkReceipt } from '../../src/data-flow/sink.js';
import type { SourceBatch } from '../../src/data-flow/source.js';
import { canonicalJson, jsonBytes, type Json } from '../../src/definition/json.js';
import { hash } from '../../src/pipeline/contract-hash.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { RowProcessing } from './row-processing.js';

/** The catalog follows a sink that keeps the position at most so often: the sink is what counts. */
const FOLLOW_MS = 1_000;

/** What a {@link FlowMove} is made of. */
export interface MoveParts {
  readonly ref: FlowRunRef;
  /** Of the flow in its catalog: another catalog's is another. */
  readonly flowId: string;
  readonly catalog: DataFlowCatalog;
  readonly sink: OpenSink;
  readonly processing: RowProcessing;
  readonly position: FlowPosition;
  readonly maxRejected: number;
  /** A cursor without secrets. */
  readonly hideIn: (cursor: Json) => Json;
  /** Called when a batch is safe. */
  readonly onBatch: (outcome: MoveOutcome) => void;
}

/** Batches on their way, one after the other: each is checked, transformed, written, and only then passed by the cursor. */
export class FlowMove {
  #position: FlowPosition;
  #fraction: number | undefined;
  #followedAt = Date.now();
  readonly #startedAt = performance.now();
  readonly #readBefore: number;

  constructor(private readonly parts: MoveParts) {
    this.#position = parts.position;
    this.#readBefore = parts.position.counts.read;
  }

  /**
   * Moves batches until there are no more, or enough was done for one activity.
   *
   * @param signal - looked at between batches: the one in progress is finished
   */
  async run(batches: AsyncIterable<SourceBatch>, signal: AbortSignal): Promise<MoveOutcome> {
    try {
      const outcome = await this.#moveAll(batches, signal);
      await this.#follow();
      return outcome;
    } catch (error) {
      // What the sink has counts, whatever came after it; the next attempt tells it where this cannot.
      await this.#follow().catch(() => undefined);
      throw error;
    }
  }

  async #moveAll(batches: AsyncIterable<SourceBatch>, signal: AbortSignal): Promise<MoveOutcome> {
    const until = Date.now() + FLOW_LIMITS.msPerActivity;
    for await (const batch of batches) {
      await this.#move({ ...batch, cursor: this.parts.hideIn(batch.cursor) });
      this.parts.onBatch(this.#outcome(false));
      const rows = this.#position.counts.read - this.#readBefore;
      if (signal.aborted || rows >= FLOW_LIMITS.rowsPerActivity || Date.now() >= until)
        return this.#outcome(false);
    }
    return this.#outcome(true);
  }

  async #move(batch: SourceBatch): Promise<void> {
    this.#checkCursor(batch);
    const { counts } = this.#position;
    const { rows, rejections, skipped } = await this.parts.processing.process(
      batch.rows,
      counts.read + 1,
    );
    const moved = { read: batch.rows.length, rejected: rejections.length, skipped };
    if (rejections.length > 0) await this.#keepOrRefuse(rejections);
    const next = (written: Written, sinkState: Json = this.#position.sinkState): FlowPosition => ({
      runSeq: this.parts.ref.runSeq,
      step: this.#position.step + 1,
      cursor: batch.cursor,
      sinkState,
      counts: countBatch(counts, moved, written),
    });
    const { sink } = this.parts;
    const key = (): string => this.#keyOf(batch, rows);
    const receipt =
      rows.length === 0 && sink.takeOver === undefined
        ? NOTHING_WRITTEN
        : await sink.write({
            rows,
            step: this.#position.step,
            // Only who sends a batch elsewhere asks for it.
            get idempotencyKey() {
              return key();
            },
            next: (written) => next(written),
          });
    this.#checkSize('sink gave a state', receipt.state ?? null);
    await this.#commit(next(receipt.written, receipt.state), rejections);
    this.#fraction = batch.fraction;
  }

  /** The same rows from the same place are the same batch, in whichever attempt or run; more rows are another. */
  #keyOf({ cursor }: SourceBatch, rows: readonly Row[]): string {
    const { flowId } = this.parts;
    return `${flowId}/${hash([this.#position.cursor, cursor, rows.length])}`;
  }

  async #commit(to: FlowPosition, rejections: readonly Rejection[]): Promise<void> {
    const { catalog, ref, sink } = this.parts;
    if (sink.takeOver !== undefined) {
      // The sink has it: where the flow is was written together with the rows.
      this.#position = to;
      if (Date.now() - this.#followedAt >= FOLLOW_MS) await this.#follow();
      return;
    }
    const from = this.#position.step;
    const moved = await catalog.advance(ref, { from, to, rejections, now: new Date() });
    if (!moved) throw new FenceLost(ref.flow, ref.runSeq);
    this.#position = to;
  }

  /** Tells the catalog where the sink is. */
  async #follow(): Promise<void> {
    const { catalog, ref, sink, position } = this.parts;
    if (sink.takeOver === undefined || this.#position.step === position.step) return;
    this.#followedAt = Date.now();
    await catalog.advance(ref, {
      from: undefined,
      to: this.#position,
      rejections: [],
      now: new Date(),
    });
  }

  async #keepOrRefuse(rejections: readonly Rejection[]): Promise<void> {
    const { catalog, ref, sink, maxRejected } = this.parts;
    const rejected = this.#position.counts.rejected + rejections.length;
    // Kept before the sink moves on: what is in neither would be lost.
    if (sink.takeOver !== undefined || rejected > maxRejected)
      await catalog.keepRejections(ref, rejections, new Date());
    if (rejected <= maxRejected) return;
    const [first] = rejections;
    throw permanent(
      `${String(rejected)} rows were rejected; the most is ${String(maxRejected)} (maxRejected). Row ${String(first?.rowNumber)}: ${first?.reason ?? ''}`,
      undefined,
      'TooManyRejected',
    );
  }

  #checkCursor({ rows, cursor }: SourceBatch): void {
    this.#checkSize('source gave a cursor', cursor);
    const unusable = (cursor as unknown) === undefined || cursor === null;
    const same = rows.length > 0 && canonicalJson(cursor) === canonicalJson(this.#position.cursor);
    if (!unusable && !same) return;
    throw permanent(
      `The source gave ${String(rows.length)} rows ${unusable ? 'without a cursor' : 'and the cursor that it had before'}: the flow would read them again and again. Each batch needs a cursor of its own.`,
      undefined,
      'UnusableCursor',
    );
  }

  #checkSize(what: string, value: Json): void {
    const bytes = jsonBytes(value);
    if (bytes <= FLOW_LIMITS.cursorBytes) return;
    const message = `The ${what} of ${String(bytes)} bytes; the most is ${String(FLOW_LIMITS.cursorBytes)} (cursorBytes).`;
    throw permanent(message, undefined, 'UnusableCursor');
  }

  #outcome(done: boolean): MoveOutcome {
    const { counts } = this.#position;
    const seconds = Math.max(0.001, (performance.now() - this.#startedAt) / 1_000);
    return {
      done,
      counts,
      ...(this.#fraction !== undefined && { fraction: this.#fraction }),
      rowsPerSecond: Math.round(((counts.read - this.#readBefore) / seconds) * 10) / 10,
    };
  }
}

const NOTHING_WRITTEN: SinkReceipt = {
  written: { new: 0, updated: 0, redundant: 0, unpredictable: 0 },
};
