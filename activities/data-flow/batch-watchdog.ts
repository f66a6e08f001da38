/** A batch took longer than its flow allows. */
export class BatchTimeout extends Error {
  override readonly name = 'BatchTimeout';
  constructor(readonly limitMs: number) {
    super(`A batch took longer than its timeout of ${String(limitMs)} ms (batchTimeout).`);
  }
}

/** Looks whether batches go on: nothing else ends a source or a sink that never answers. */
export class BatchWatchdog {
  readonly expired: Promise<never>;
  #timer: NodeJS.Timeout | undefined;
  #reject: (error: BatchTimeout) => void = () => undefined;

  constructor(private readonly limitMs: number) {
    this.expired = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
    // Nobody may be waiting for it when it expires.
    this.expired.catch(() => undefined);
    this.next();
  }

  /** A batch begins. */
  next(): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#reject(new BatchTimeout(this.limitMs));
    }, this.limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
