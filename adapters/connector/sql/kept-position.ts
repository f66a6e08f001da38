import { FenceLost, type FlowPosition } from '../../../src/data-flow/position.js';

/** A position as a row of the table of positions. */
export interface StoredPosition {
  /** PostgreSQL's driver gives a bigint as text. */
  readonly run_seq: number | string;
  readonly step: number | string;
  /** JSON of a {@link FlowPosition}. */
  readonly position: string;
}

/** Who writes to what. */
export interface PositionOwner {
  readonly flow: string;
  /** What the flow writes to. */
  readonly sink: string;
  readonly runSeq: number;
}

/** One row for each flow and table that it writes to, in the database of the table. SQLite keeps the time as ISO 8601. */
export const CREATE_POSITIONS = `CREATE TABLE IF NOT EXISTS millrace_positions (
  flow text NOT NULL,
  sink text NOT NULL,
  run_seq bigint NOT NULL,
  step bigint NOT NULL,
  position text NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  PRIMARY KEY (flow, sink)
)`;

/**
 * The position that counts when a run takes over.
 *
 * @param known - what the catalog has, which may be behind, or ahead when a later run or a person has moved the flow
 * @param stored - what the sink has
 * @throws {@link FenceLost} when a later run has taken over
 */
export function positionThatCounts(
  owner: PositionOwner,
  known: FlowPosition,
  stored: StoredPosition | undefined,
): FlowPosition {
  const { flow, runSeq } = owner;
  if (stored === undefined) return { ...known, runSeq };
  const storedSeq = Number(stored.run_seq);
  if (storedSeq > runSeq) throw new FenceLost(flow, runSeq);
  const step = Math.max(Number(stored.step), known.step);
  if (storedSeq < known.runSeq) return { ...known, runSeq, step };
  // Written by this sink, from a position that it was given.
  const position = JSON.parse(stored.position) as FlowPosition;
  return {
    ...position,
    runSeq,
    step,
    counts: storedSeq === runSeq ? position.counts : known.counts,
  };
}
