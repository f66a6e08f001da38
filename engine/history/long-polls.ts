/**
 * Counts long polls. A Temporal frontend allows 1,200 for each namespace and refuses more, so that we stop well before;
 * runs that get none are looked at once a second.
 */
export class LongPolls {
  #taken = 0;

  constructor(readonly limit = 800) {}

  /** A function that gives the long poll back, or undefined when there is none left. */
  take(): (() => void) | undefined {
    if (this.#taken >= this.limit) return undefined;
    this.#taken += 1;
    let given = true;
    return () => {
      if (given) this.#taken -= 1;
      given = false;
    };
  }
}
