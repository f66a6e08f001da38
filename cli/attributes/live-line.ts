import { barText } from '../progress-bar.js';
import { detailRoom, runView, type RunView } from '../run/run-view.js';

/**
 * One line on a terminal, written anew: a spinner, what it is about, how far it is, the time. Elsewhere nothing. It hides the cursor:
 * whoever shows it waits for signals, and ends it.
 */
export class LiveLine {
  readonly #view: RunView | undefined;
  readonly #startedAt = Date.now();

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly label: string,
  ) {
    if (stream.isTTY) this.#view = runView(stream, [label]);
    this.say('starting …');
  }

  /** @param numbers - in the order in which they matter */
  show(fraction: number | undefined, numbers: readonly string[]): void {
    this.say(barText(fraction, numbers, detailRoom(this.label, this.stream.columns)));
  }

  say(detail: string): void {
    const { label } = this;
    this.#view?.show([{ label, state: 'running', startedAt: this.#startedAt, detail, attempt: 1 }]);
  }

  /** Leaves nothing of it, and gives the terminal back. */
  end(): void {
    this.#view?.show([]);
    this.#view?.end();
  }
}
