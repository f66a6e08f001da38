import type { Body } from './body.js';

/** A body took longer than its step's timeout. */
export class BodyTimeout extends Error {
  override readonly name = 'BodyTimeout';
  constructor(readonly timeoutMs: number) {
    super(
      `The body took longer than its timeout of ${String(timeoutMs)} ms (timeout of the step).`,
    );
  }
}

/**
 * The times of a step's bodies in progress. One timer is enough: each body has equally long, so that they are over in the order in
 * which they began. They are linked to each other, since a list or a set of them costs more than many bodies do.
 */
export class BodyTimes {
  #first: Body | undefined;
  #last: Body | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param timeoutMs - what each body has
   * @param onPassed - called with a body that has taken too long, after its signal was aborted; has to {@link end} it
   */
  constructor(
    private readonly timeoutMs: number,
    private readonly onPassed: (body: Body, error: BodyTimeout) => void,
  ) {}

  /** The time of a body begins. */
  begin(body: Body, now: number): void {
    body.dueAt = now + this.timeoutMs;
    body.before = this.#last;
    if (this.#last === undefined) this.#first = body;
    else this.#last.after = body;
    this.#last = body;
    this.#timer ??= setTimeout(this.#look, this.timeoutMs);
  }

  /** The time of a body ends. */
  end(body: Body): void {
    const { before, after } = body;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    body.before = undefined;
    body.after = undefined;
  }

  /** Whoever is still in progress is told to stop, and left to itself. */
  stop(reason: unknown): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let body = this.#first; body !== undefined; body = body.after) body.abort(reason);
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    // Timers may be early by a part of a millisecond.
    const now = performance.now() + 1;
    for (let body = this.#first; body !== undefined && body.dueAt <= now; body = this.#first) {
      const error = new BodyTimeout(this.timeoutMs);
      body.abort(error);
      this.onPassed(body, error);
    }
    if (this.#first === undefined) return;
    this.#timer = setTimeout(this.#look, Math.max(1, this.#first.dueAt - performance.now()));
  };
}
