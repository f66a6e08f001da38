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
  #signal: AbortSignal | undefined;

  constructor(
    private readonly timeoutMs: number,
    private readonly run: AbortSignal,
  ) {}

  /** Aborted when the time is over, or the run's own signal is. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    this.#signal ??= AbortSignal.any([this.run, this.#controller.signal]);
    return this.#signal;
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

  stop(): void {
    clearTimeout(this.#timer);
  }
}
