/** What one measured process is asked for. */
export interface AttributeTask {
  /** Its own folder: the catalog is made there. */
  readonly dir: string;
  readonly entities: number;
  /** What computes the values. */
  readonly processor: 'calculation' | 'prompt';
  /** Of the Temporal server. */
  readonly address: string;
  /** Base URL of the model. */
  readonly model: string;
}

/** What it has measured; only the first number is there of what has no runs. In milliseconds. */
export interface AttributeResult {
  /** Values that were computed in the first run. */
  readonly entities: number;
  /** The first run, which computes everything. */
  readonly coldMs: number;
  /** A run when nothing has changed. */
  readonly unchangedMs?: number;
  /** A run when an input of one entity of a hundred has changed. */
  readonly changedMs?: number;
}

/** Calls to the model that go on at once, and how long each of them takes. */
export const PROMPT = { concurrency: 20, waitMs: 50 } as const;
