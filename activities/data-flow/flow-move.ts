import type { DataFlowCatalog, FlowRunRef } from '../../src/data-flow/catalog.js';
import { FLOW_LIMITS } from '../../src/data-flow/limits.js';
import { FenceLost, type FlowPosition } from '../../src/data-flow/position.js';
import { countBatch, type Rejection, type Written } from '../../src/data-flow/row.js';
import type { MoveOutcome } from '../../src/data-flow/run.js';
import type { OpenSink, SinkBatch, SinkReceipt } from '../../src/data-flow/sink.js';
import type { SourceBatch } from '../../src/data-flow/source.js';
import { canonicalJson, jsonBytes, type Json } from '../../src/definition/json.js';
import { hash } from '../../src/pipeline/contract-hash.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { MovingBatch } from './moving-batch.js';
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
  /** A text without secrets. */
  readonly hide: (text: string) => string;
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

  async #move(source: SourceBatch): Promise<void> {
    this.#checkCursor(source);
    const batch = await MovingBatch.of(source, this.#position.counts.read + 1, this.parts);
    if (batch.rejections.length > 0) await this.#keepOrRefuse(batch, batch.rejections);
    const receipt = await this.#write(batch);
    this.#checkSize('sink gave a state', receipt.state ?? null);
    await this.#commit(this.#next(batch, receipt.written, receipt.state), batch.rejections);
    await source.acknowledge?.(batch.taken);
    this.#fraction = source.fraction;
  }

  /** Until the sink takes what is left of the batch: each time that it does not, there is less. */
  async #write(batch: MovingBatch): Promise<SinkReceipt> {
    const { sink } = this.parts;
    for (;;) {
      if (batch.rows.length === 0 && sink.takeOver === undefined) return NOTHING_WRITTEN;
      try {
        return await sink.write(this.#sinkBatch(batch));
      } catch (error) {
        await this.#keepOrRefuse(batch, batch.refuse(error));
      }
    }
  }

  #sinkBatch(batch: MovingBatch): SinkBatch {
    const key = (): string => this.#keyOf(batch);
    const rejected = this.#position.counts.rejected + batch.rejections.length;
    return {
      rows: batch.rows,
      step: this.#position.step,
      // Only who sends a batch elsewhere asks for it.
      get idempotencyKey() {
        return key();
      },
      next: (written) => this.#next(batch, written),
      refusalsLeft: this.parts.maxRejected - rejected,
    };
  }

  /** The position behind a batch. */
  #next(
    { source, counts }: MovingBatch,
    written: Written,
    sinkState: Json = this.#position.sinkState,
  ): FlowPosition {
    return {
      runSeq: this.parts.ref.runSeq,
      step: this.#position.step + 1,
      cursor: source.cursor,
      sinkState,
      counts: countBatch(this.#position.counts, counts, written),
    };
  }

  /** The same rows from the same place are the same batch, in whichever attempt or run; more rows are another. */
  #keyOf({ source, rows, refused }: MovingBatch): string {
    const { flowId } = this.parts;
    const parts = [this.#position.cursor, source.cursor, rows.length];
    // As many rows may be left without this one as without another.
    return `${flowId}/${hash(refused.length === 0 ? parts : [...parts, [...refused]])}`;
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

  /** @param fresh - those rejections of the batch that nobody was told of */
  async #keepOrRefuse({ rejections }: MovingBatch, fresh: readonly Rejection[]): Promise<void> {
    const { catalog, ref, sink, maxRejected } = this.parts;
    const rejected = this.#position.counts.rejected + rejections.length;
    const isTooMany = rejected > maxRejected;
    // Kept before the sink moves on: what is in neither would be lost.
    if (sink.takeOver !== undefined) await catalog.keepRejections(ref, fresh, new Date());
    else if (isTooMany) await catalog.keepRejections(ref, rejections, new Date());
    if (!isTooMany) return;
    const [first] = rejections;
    throw permanent(
      `${String(rejected)} rows were rejected; the most is ${String(maxRejected)} (maxRejected). Row ${String(first?.rowNumber)}: ${first?.reason ?? ''}`,
      undefined,
      'TooManyRejected',
    );
  }

  #checkCursor({ rows: { length }, rejected, cursor }: SourceBatch): void {
    this.#checkSize('source gave a cursor', cursor);
    const rows = length + (rejected?.length ?? 0);
    const unusable = (cursor as unknown) === undefined || cursor === null;
    const same = rows > 0 && canonicalJson(cursor) === canonicalJson(this.#position.cursor);
    if (!unusable && !same) return;
    throw permanent(
      `The source gave ${String(rows)} rows ${unusable ? 'without a cursor' : 'and the cursor that it had before'}: the flow would read them again and again. Each batch needs a cursor of its own.`,
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
