import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { formatCount } from '../flows/flow-format.js';
import { LiveLine } from './live-line.js';

/** Shortest time between two looks at how far it is. */
const SHOW_MS = 100;

/** Entities that an import has come to. */
export interface Imported {
  readonly read: number;
  readonly added: number;
  readonly changed: number;
}

/** How far the import of a file is, on a terminal: by the bytes that were read, and by the entities that were saved. */
export class ImportLine {
  readonly #line: LiveLine;
  /** 0 where it is not known: a pipe has none. */
  readonly #size: number;
  readonly #startedAt = Date.now();
  #shownAt = 0;

  constructor(stream: NodeJS.WriteStream, file: string) {
    this.#line = new LiveLine(stream, basename(file));
    this.#size = statSync(file).size;
  }

  show(bytes: number, { read, added, changed }: Imported): void {
    const now = Date.now();
    if (now - this.#shownAt < SHOW_MS) return;
    this.#shownAt = now;
    const perSecond = (read / Math.max(1, now - this.#startedAt)) * 1_000;
    this.#line.show(this.#size === 0 ? undefined : bytes / this.#size, [
      `${formatCount(read)} read`,
      ...(added === 0 ? [] : [`${formatCount(added)} added`]),
      ...(changed === 0 ? [] : [`${formatCount(changed)} changed`]),
      `${formatCount(perSecond)}/s`,
    ]);
  }

  end(): void {
    this.#line.end();
  }
}
