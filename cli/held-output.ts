import { Writable } from 'node:stream';

/** Most bytes that are held back; what is more goes out at once. */
const MAX_HELD_BYTES = 1024 * 1024;

/** A stream that keeps what is written back until it is released, so that it does not get into another's lines. */
export class HeldOutput extends Writable {
  #held: Buffer[] = [];
  #bytes = 0;
  #released = false;

  constructor(private readonly target: NodeJS.WriteStream) {
    super();
  }

  /** Lets out what was kept, and everything that follows. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.target.write(Buffer.concat(this.#held));
    this.#held = [];
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    if (this.#released) {
      this.target.write(chunk);
    } else {
      this.#held.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_HELD_BYTES) this.release();
    }
    done();
  }
}
