import type { RunEvent } from '../../src/progress/run-event.js';

/** How far a step is, as far as it was told. */
export interface StepState {
  readonly label: string;
  /** Records that it has worked on, since somebody looks. */
  readonly done: number;
  readonly left: number;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
}

/** How far a run of a record pipeline is, from its events. */
export class RecordProgress {
  readonly #steps = new Map<string, StepState>();
  /** The label of the step that it is at. */
  current: string | undefined;
  completed = 0;
  failed = 0;
  recordsPerSecond = 0;
  etaSeconds: number | undefined;
  /** What it waits for. */
  waitsFor: string | undefined;

  /** In the order of the pipeline. */
  get steps(): readonly StepState[] {
    return [...this.#steps.values()];
  }

  take({ type, data, time }: RunEvent): void {
    if (type === 'record_pipeline_waiting')
      this.waitsFor = typeof data['reason'] === 'string' ? data['reason'] : '';
    else if (type === 'record_pipeline_begun') this.waitsFor = undefined;
    else if (type === 'record_pipeline_progress') this.#drained(data, time);
  }

  #drained(data: RunEvent['data'], time: number): void {
    this.waitsFor = undefined;
    this.current = typeof data['step'] === 'string' ? data['step'] : undefined;
    this.completed = numberOf(data['completed']);
    this.failed = numberOf(data['failed']);
    this.recordsPerSecond = numberOf(data['records_per_second']);
    const eta = data['eta_seconds'];
    this.etaSeconds = typeof eta === 'number' ? eta : undefined;
    const queues = data['queues'];
    if (typeof queues !== 'object' || queues === null) return;
    for (const [label, left] of Object.entries(queues)) this.#queue(label, numberOf(left), time);
  }

  #queue(label: string, left: number, time: number): void {
    const known = this.#steps.get(label);
    // A queue that has grown has got work from another step.
    const done = (known?.done ?? 0) + Math.max(0, (known?.left ?? left) - left);
    const startedAt = known?.startedAt ?? (label === this.current ? time : undefined);
    const started = startedAt !== undefined && { startedAt };
    this.#steps.set(label, { label, left, done, ...started });
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
