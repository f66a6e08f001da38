/** Wakes whoever waits for something to have changed. */
export class ChangeSignal {
  #wake: () => void = () => undefined;
  #next: Promise<void>;

  constructor() {
    this.#next = this.#renew();
  }

  /** Resolves at the next change. Ask for it before looking at what may have changed. */
  get next(): Promise<void> {
    return this.#next;
  }

  notify(): void {
    const wake = this.#wake;
    this.#next = this.#renew();
    wake();
  }

  #renew(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
