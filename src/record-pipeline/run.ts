/** What a store knows of a run that has worked on it. */
export interface RecordRun {
  readonly id: string;
  readonly pipeline: string;
  readonly workflowId: string;
  /** Of the attempt that may write. */
  readonly epoch: number;
  readonly status: 'in_progress' | 'success' | 'failed' | 'cancelled' | 'interrupted';
  /** ISO 8601, as the others. */
  readonly startedAt: string;
  /** When it last wrote something. */
  readonly seenAt: string;
  readonly endedAt: string | null;
  /** Bodies that have ended and were written. */
  readonly completed: number;
  readonly failed: number;
}

/** A record whose body failed. Nothing of what the body changed is in the store. */
export interface RecordFailure {
  readonly step: string;
  /** The record's type. */
  readonly record: string;
  readonly recordId: number;
  /** Of the error: its class. */
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Another attempt, or another run, works on the store: what this one has done since is not written. */
export class RunTakenOver extends Error {
  override readonly name = 'RunTakenOver';
  constructor(readonly run: string) {
    super(
      `The run ${run} is over, or another attempt of it goes on elsewhere. Nothing was written.`,
    );
  }
}
