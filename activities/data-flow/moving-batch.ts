import { isRowsRefused, type RefusedRow } from '../../src/data-flow/refusal.js';
import type { Rejection, Row, RowCounts } from '../../src/data-flow/row.js';
import type { SourceBatch } from '../../src/data-flow/source.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { rejection } from './rejected-row.js';
import type { ProcessedBatch, RowProcessing } from './row-processing.js';

/** What a {@link MovingBatch} goes through. */
export interface BatchParts {
  readonly processing: RowProcessing;
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string;
}

/**
 * A batch between source and sink: the rows that are left for the sink, and those that were rejected on the way. Rows are numbered
 * as the source has them, whatever the transform makes of them: where the sink refuses one of the rows that were made of a row,
 * that row is rejected as a whole, as it is where one of them does not fit `writes`.
 */
export class MovingBatch {
  readonly source: SourceBatch;
  readonly skipped: number;
  readonly #numberOf: (place: number) => number;
  readonly #parts: BatchParts;
  #rows: readonly Row[];
  #rejections: readonly Rejection[];
  /** The place of the source's row that each row was made of; asked for when the sink refuses one. */
  #origins: () => readonly number[];
  /** Places of the source's rows that the sink has refused. */
  readonly refused: number[] = [];

  private constructor(
    source: SourceBatch,
    processed: ProcessedBatch,
    numberOf: (place: number) => number,
    parts: BatchParts,
  ) {
    this.source = source;
    this.skipped = processed.skipped;
    this.#numberOf = numberOf;
    this.#parts = parts;
    this.#rows = processed.rows;
    this.#rejections = processed.rejections;
    this.#origins = () => originsOf(source.rows.length, processed.made);
  }

  /**
   * Checks and transforms the rows of a batch.
   *
   * @param firstNumber - of its first row among those of the run, from 1
   * @throws what a transform throws that may pass
   */
  static async of(
    source: SourceBatch,
    firstNumber: number,
    parts: BatchParts,
  ): Promise<MovingBatch> {
    const { rows, rejected = [] } = source;
    const places = rejected.length === 0 ? undefined : placesBetween(rows.length, rejected);
    const numberOf = (place: number): number => firstNumber + (places?.[place] ?? place);
    const processed = await parts.processing.process(rows, numberOf);
    const batch = new MovingBatch(source, processed, numberOf, parts);
    if (rejected.length > 0) {
      const unreadable = rejected.map(({ at, reason, row }) => {
        const rowNumber = firstNumber + at;
        return rejection({ rowNumber, phase: 'source', reason: parts.hide(reason), row });
      });
      batch.#rejections = inOrder([...unreadable, ...processed.rejections]);
    }
    return batch;
  }

  /** For the sink. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** The rows of the source that were not rejected. */
  get taken(): readonly Row[] {
    const { rows } = this.source;
    if (this.#rejections.length === 0) return rows;
    const rejected = new Set(this.#rejections.map(({ rowNumber }) => rowNumber));
    return rows.filter((_row, place) => !rejected.has(this.#numberOf(place)));
  }

  /** In the order of their numbers. */
  get rejections(): readonly Rejection[] {
    return this.#rejections;
  }

  get counts(): Pick<RowCounts, 'read' | 'rejected' | 'skipped'> {
    const { rows, rejected = [] } = this.source;
    const read = rows.length + rejected.length;
    return { read, rejected: this.#rejections.length, skipped: this.skipped };
  }

  /**
   * Rejects rows that the sink has refused.
   *
   * @param error - what the sink has thrown
   * @returns those that were rejected by it
   * @throws the error, if it is not about rows
   */
  refuse(error: unknown): readonly Rejection[] {
    if (!isRowsRefused(error)) throw error;
    const origins = this.#origins();
    const reasons = reasonsByOrigin(origins, error.refused);
    const stays = (origin: number): boolean => !reasons.has(origin);
    const rest = origins.filter(stays);
    this.#rows = this.#rows.filter((_row, at) => stays(origins[at] ?? at));
    this.#origins = () => rest;
    this.refused.push(...reasons.keys());
    const fresh = [...reasons].map(([place, reason]) =>
      rejection({
        rowNumber: this.#numberOf(place),
        phase: 'sink',
        reason: this.#parts.hide(reason),
        row: this.source.rows[place],
      }),
    );
    this.#rejections = inOrder([...this.#rejections, ...fresh]);
    return fresh;
  }
}

/** Why rows of the source are rejected, by their places: the first reason of each. */
function reasonsByOrigin(
  origins: readonly number[],
  refused: readonly RefusedRow[],
): ReadonlyMap<number, string> {
  const reasons = new Map<number, string>();
  for (const { at, reason } of refused) {
    const origin = origins[at];
    if (origin === undefined) throw unknownRow('sink refused', at, origins.length);
    if (!reasons.has(origin)) reasons.set(origin, reason);
  }
  if (reasons.size > 0) return reasons;
  throw permanent('The sink refused rows, but none of them.', undefined, 'InvalidRejection');
}

/** @param made - how many rows were made of a row, by its place, where it is not one */
function originsOf(rows: number, made: ReadonlyMap<number, number>): readonly number[] {
  const origins: number[] = [];
  for (let place = 0; place < rows; place += 1)
    for (let left = made.get(place) ?? 1; left > 0; left -= 1) origins.push(place);
  return origins;
}

/** The places of rows in a batch that has others between them. */
function placesBetween(
  rows: number,
  rejected: readonly { readonly at: number }[],
): readonly number[] {
  const total = rows + rejected.length;
  const taken = new Set(rejected.map(({ at }) => at));
  for (const at of taken)
    if (!Number.isInteger(at) || at < 0 || at >= total)
      throw unknownRow('source rejected', at, total);
  if (taken.size < rejected.length) {
    const message = 'The source rejected two rows at one place of a batch.';
    throw permanent(message, undefined, 'InvalidRejection');
  }
  return Array.from({ length: total }, (_, at) => at).filter((at) => !taken.has(at));
}

function unknownRow(who: string, at: number, total: number): Error {
  const message = `The ${who} the row at ${String(at)} of a batch of ${String(total)}.`;
  return permanent(message, undefined, 'InvalidRejection');
}

function inOrder(rejections: readonly Rejection[]): readonly Rejection[] {
  return [...rejections].sort((a, b) => a.rowNumber - b.rowNumber);
}
