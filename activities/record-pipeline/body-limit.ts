/** A body took longer than its step's timeout. */
export class BodyTimeout extends Error {
  override readonly name = 'BodyTimeout';
  constructor(readonly timeoutMs: number) {
    super(
      `The body took longer than its timeout of ${String(timeoutMs)} ms (timeout of the step).`,
    );
  }
}

/** The time of one body. Costs nothing while nobody asks: most bodies end at once. */
export class BodyLimit {
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    private readonly timeoutMs: number,
    /** Of the run. Many bodies may listen to it at once. */
    private readonly run: AbortSignal,
  ) {}

  /** Aborted when the time is over, or the run's own signal is. */
  get signal(): AbortSignal {
    // Not AbortSignal.any: on one signal that lives for long, that costs more with each body.
    this.#controller ??= this.#listening();
    return this.#controller.signal;
  }

  /** Rejects when the time is over. Counted from when it is asked for. */
  get passed(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.#timer = setTimeout(() => {
        const error = new BodyTimeout(this.timeoutMs);
        this.#controller?.abort(error);
        reject(error);
      }, this.timeoutMs);
    });
  }

  /** The body has ended. */
  stop(): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.run.removeEventListener('abort', this.#onAbort);
  }

  #listening(): AbortController {
    const controller = new AbortController();
    this.#onAbort = () => {
      controller.abort(this.run.reason);
    };
    if (this.run.aborted) this.#onAbort();
    else this.run.addEventListener('abort', this.#onAbort, { once: true });
    return controller;
  }
}
