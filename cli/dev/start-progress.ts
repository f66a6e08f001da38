import pc from 'picocolors';

/** Tells a person who waits for the first screen that something happens. Elsewhere only what takes long is told. */
export class StartProgress {
  readonly #startedAt = Date.now();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(private readonly stream: NodeJS.WriteStream) {
    if (!stream.isTTY) return;
    this.#draw();
    this.#timer = setInterval(() => {
      this.#draw();
    }, 1_000);
  }

  /** Says a sentence about something that takes long. */
  say(message: string): void {
    this.#clear();
    this.stream.write(`  ${message}\n`);
    this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #draw(): void {
    if (!this.stream.isTTY) return;
    const seconds = Math.floor((Date.now() - this.#startedAt) / 1_000);
    this.#clear();
    this.stream.write(
      pc.dim(
        `  Starting Temporal, a worker and the HTTP server${seconds < 2 ? '' : ` (${String(seconds)} s)`} …`,
      ),
    );
  }

  #clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\u001b[2K');
  }
}
