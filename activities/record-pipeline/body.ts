import type { Row } from '../../adapters/record-store/row.js';
import type { Session } from '../../adapters/record-store/session.js';
import type { StepProgress } from '../../src/record-pipeline/record-pipeline.js';

/** One body in progress: what it works on, and the signal that it may listen to. One is made for each record. */
export class Body {
  /** When its time is over, as the process's clock counts. Its neighbours among those whose time runs: see {@link BodyTimes}. */
  dueAt = 0;
  before: Body | undefined;
  after: Body | undefined;
  /** What comes of it later is of no account. */
  isOver = false;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    readonly row: Row,
    readonly session: Session,
    /** What hooks are told of it. */
    readonly progress: StepProgress,
    /** Of the run. Many bodies may listen to it at once. */
    private readonly run: AbortSignal,
  ) {}

  /** Aborted when its time is over, its attempt is, or the run's own signal is. Made when it is asked for: most bodies end at once. */
  get signal(): AbortSignal {
    // Not AbortSignal.any: on one signal that lives for long, that costs more with each body.
    this.#controller ??= this.#listening();
    return this.#controller.signal;
  }

  /** Nobody waits for it any more. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#controller?.abort(reason);
  }

  /** It has ended, or was given up. */
  end(): void {
    this.isOver = true;
    if (this.#onAbort !== undefined) this.run.removeEventListener('abort', this.#onAbort);
  }

  #listening(): AbortController {
    const controller = new AbortController();
    this.#onAbort = () => {
      controller.abort(this.run.reason);
    };
    if (this.#aborted !== undefined) controller.abort(this.#aborted.reason);
    else if (this.run.aborted) this.#onAbort();
    else this.run.addEventListener('abort', this.#onAbort, { once: true });
    return controller;
  }
}
