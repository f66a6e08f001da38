import { FenceLost, type FlowPosition } from '../../../src/data-flow/position.js';
import type { SinkContext } from '../../../src/data-flow/sink.js';
import { canonicalJson } from '../../../src/definition/json.js';

/** A position as a row of the table of positions. */
export interface StoredPosition {
  /** Null where it was written before there was such a column. */
  readonly flow_id: string | null;
  /** PostgreSQL's driver gives a bigint as text. */
  readonly run_seq: number | string;
  readonly step: number | string;
  /** JSON of a {@link FlowPosition}. */
  readonly position: string;
}

/** Who writes to what. */
export interface PositionOwner {
  readonly flow: string;
  /** Of the flow in its catalog: runs of different catalogs have the same numbers. */
  readonly flowId: string;
  /** What the flow writes to. */
  readonly sink: string;
  readonly runSeq: number;
  readonly log: SinkContext['log'];
}

/** One row for each flow and table that it writes to, in the database of the table. SQLite keeps the time as ISO 8601. */
export const CREATE_POSITIONS = `CREATE TABLE IF NOT EXISTS millrace_positions (
  flow text NOT NULL,
  sink text NOT NULL,
  flow_id text,
  run_seq bigint NOT NULL,
  step bigint NOT NULL,
  position text NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  PRIMARY KEY (flow, sink)
)`;

/** For tables of positions that were made without it. */
export const ADD_FLOW_ID = 'ALTER TABLE millrace_positions ADD COLUMN flow_id text';

/**
 * The position that counts when a run takes over.
 *
 * @param known - what the catalog has, which may be behind, or ahead when a later run or a person has moved the flow. It counts,
 *   too, when what is stored is of another catalog: of that one's runs this one knows nothing
 * @param stored - what the sink has
 * @returns a position whose step is greater than that of `known` when the sink is ahead of the catalog
 * @throws {@link FenceLost} when a later run has taken over
 */
export function positionThatCounts(
  owner: PositionOwner,
  known: FlowPosition,
  stored: StoredPosition | undefined,
): FlowPosition {
  const { flow, flowId, sink, runSeq, log } = owner;
  if (stored === undefined) return { ...known, runSeq };
  if (stored.flow_id !== null && stored.flow_id !== flowId) {
    const data = { flow, table: sink, before: stored.flow_id };
    log.warn(
      data,
      'the table was filled from another catalog; the flow begins where this one has it',
    );
    return { ...known, runSeq };
  }
  const storedSeq = Number(stored.run_seq);
  if (storedSeq > runSeq) throw new FenceLost(flow, runSeq);
  const step = Math.max(Number(stored.step), known.step);
  if (storedSeq < known.runSeq) return { ...known, runSeq, step };
  // Written by this sink, from a position that it was given.
  const position = JSON.parse(stored.position) as FlowPosition;
  const counts = storedSeq === runSeq ? position.counts : known.counts;
  const mine = { ...position, runSeq, step, counts };
  // Nothing but the step tells the catalog that it is behind.
  return isSamePlace(mine, known) ? mine : { ...mine, step: Math.max(step, known.step + 1) };
}

function isSamePlace(a: FlowPosition, b: FlowPosition): boolean {
  const place = ({ cursor, sinkState, counts }: FlowPosition): string =>
    canonicalJson([cursor, sinkState, counts]);
  return place(a) === place(b);
}
