import type { Json } from '../definition/json.js';

/** One record on its way from a source to a sink. Lives in activities only: it never becomes part of a run's history. */
export type Row = Readonly<Record<string, unknown>>;

/** What has become of the rows of a run so far. */
export interface RowCounts {
  /** Taken from the source. */
  readonly read: number;
  /** Handed to the sink and changed there: new, updated and unpredictable ones. */
  readonly written: number;
  /** Refused by the source, a contract, the transform or the sink, and kept with the reason. */
  readonly rejected: number;
  /** Left out by the transform on purpose. */
  readonly skipped: number;
  /** Written under a key that the sink did not have. */
  readonly new: number;
  /** Written over other values of the same key. */
  readonly updated: number;
  /** Not written: the sink has the same values under this key. */
  readonly redundant: number;
  /** Written to a sink that has no keys, and so cannot tell. */
  readonly unpredictable: number;
  /** Batches that the sink has taken. */
  readonly batches: number;
}

/** What a sink did with a batch. */
export type Written = Pick<RowCounts, 'new' | 'updated' | 'redundant' | 'unpredictable'>;

/** A run that has not begun. */
export const NO_ROWS: RowCounts = {
  read: 0,
  written: 0,
  rejected: 0,
  skipped: 0,
  new: 0,
  updated: 0,
  redundant: 0,
  unpredictable: 0,
  batches: 0,
};

/** Counts after one more batch. */
export function countBatch(
  before: RowCounts,
  batch: Pick<RowCounts, 'read' | 'rejected' | 'skipped'>,
  written: Written,
): RowCounts {
  return {
    read: before.read + batch.read,
    rejected: before.rejected + batch.rejected,
    skipped: before.skipped + batch.skipped,
    written: before.written + written.new + written.updated + written.unpredictable,
    new: before.new + written.new,
    updated: before.updated + written.updated,
    redundant: before.redundant + written.redundant,
    unpredictable: before.unpredictable + written.unpredictable,
    batches: before.batches + 1,
  };
}

/** Counts by the names that the catalog and the API have for them. */
export function countFields(counts: RowCounts) {
  return {
    rows_read: counts.read,
    rows_written: counts.written,
    rows_rejected: counts.rejected,
    rows_skipped: counts.skipped,
    rows_new: counts.new,
    rows_updated: counts.updated,
    rows_redundant: counts.redundant,
    rows_unpredictable: counts.unpredictable,
    batches: counts.batches,
  };
}

/** What can refuse a row, in the order in which a row meets them. */
export const REJECTION_PHASES = ['source', 'reads', 'transform', 'writes', 'sink'] as const;

/** A row that was refused, as it is kept. */
export interface Rejection {
  /** Its place among the rows of the run, from 1. */
  readonly rowNumber: number;
  /** What refused it. */
  readonly phase: (typeof REJECTION_PHASES)[number];
  readonly reason: string;
  /** The row as the source gave it, as far as JSON can carry it. Of one that the source could not read, what it found in its place. */
  readonly row: Json;
}
