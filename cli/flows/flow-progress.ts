import type { Engine } from '../../engine/engine.js';
import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { liveProgressData } from '../live-progress.js';

/** How far a run is, as its events tell it: rows of the whole run so far. */
export interface FlowProgress {
  readonly read: number;
  readonly written: number;
  readonly rejected: number;
  readonly rowsPerSecond: number;
  /** 0 to 1, where the source can tell. */
  readonly fraction?: number;
}

/** What a `flow_progress` event, or a heartbeat, says. */
export function flowProgress(data: Readonly<Record<string, unknown>>): FlowProgress {
  const number = (name: string): number => {
    const value = data[name];
    return typeof value === 'number' ? value : 0;
  };
  return {
    read: number('rows_read'),
    written: number('rows_written'),
    rejected: number('rows_rejected'),
    rowsPerSecond: number('rows_per_second'),
    ...(typeof data['fraction'] === 'number' && { fraction: data['fraction'] }),
  };
}

/** How far an active run is right now, from the heartbeat of the activity that moves its rows. Undefined where none tells. */
export async function liveProgress(
  engine: Engine,
  { workflowId }: FlowRunRecord,
): Promise<FlowProgress | undefined> {
  try {
    const told = await liveProgressData(engine, workflowId);
    return told && flowProgress(told);
  } catch {
    // A claim whose workflow was not started yet. What the catalog says of the run is told either way.
    return undefined;
  }
}
