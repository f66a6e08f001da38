import type { Json } from '../definition/json.js';
import type { RowCounts } from './row.js';

/** How far a flow is: what the next batch builds on. */
export interface FlowPosition {
  /** The run that has written it. */
  readonly runSeq: number;
  /** Grows by one with each batch of the flow, whatever run moves it. With `runSeq` it tells an outdated writer from the present one. */
  readonly step: number;
  /** Where the source goes on; null at its beginning. */
  readonly cursor: Json;
  /** What the sink needs to go on where it was, such as the length of its file; null unless it keeps something. */
  readonly sinkState: Json;
  /** Of the run that has written it. */
  readonly counts: RowCounts;
}

/**
 * Somebody else moves the flow by now: another run, or another attempt of this activity. What this one wanted to write was
 * not written.
 */
export class FenceLost extends Error {
  override readonly name = 'FenceLost';
  constructor(
    readonly flow: string,
    readonly runSeq: number,
  ) {
    super(
      `Run ${String(runSeq)} of "${flow}" no longer moves it: another run or another attempt has taken over.`,
    );
  }
}
