import { closeSync, openSync, readSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';

/** Most bytes of a file that become part of a definition: more than a plan may have, so that the plan is then refused. */
const MAX_BYTES = 1024 * 1024;

/** Reads texts that definitions name, such as prompts, from the files of one project. */
export class ProjectText {
  readonly #read = new Set<string>();

  constructor(readonly dir: string) {}

  /** Files that were asked for; absolute, also those that do not exist. */
  get files(): readonly string[] {
    return [...this.#read];
  }

  /** The text of a file by its path in the project; undefined where there is none, or where it is outside. */
  readonly read = (path: string): string | undefined => {
    const file = resolve(this.dir, path);
    const inside = relative(this.dir, file);
    if (inside.startsWith('..') || isAbsolute(inside)) return undefined;
    this.#read.add(file);
    return textOf(file);
  };
}

function textOf(file: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const buffer = Buffer.alloc(MAX_BYTES);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer));
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
