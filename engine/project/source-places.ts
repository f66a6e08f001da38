import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Site } from '../../src/definition/problem.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import { argumentAt, itemAt, memberAt } from './literal-scan.js';

/** Longest file that is looked into for places, in characters. */
const MAX_CHARACTERS = 1024 * 1024;

/**
 * Finds where the parts of definitions are written in a project's modules, as far as they are written at the `defineX`
 * call itself. A part that comes from a variable or a spread is where the nearest part around it is.
 */
export class SourcePlaces {
  readonly #texts = new Map<string, string>();

  /** @param dir - the project, which the files of sites are relative to */
  constructor(readonly dir: string) {}

  /** Where a part of a definition is, given the place of its `defineX` call. */
  readonly locate = (site: Site | undefined, path: Path): Site | undefined => {
    const { line, column } = site ?? {};
    if (site === undefined || line === undefined || column === undefined || path.length === 0)
      return site;
    const text = this.#textOf(site.file);
    const call = offsetOf(text, line, column);
    const place = call === undefined ? undefined : placeIn(text, call, path);
    return place === undefined ? site : { file: site.file, ...positionOf(text, place) };
  };

  #textOf(file: string): string {
    const text = this.#texts.get(file) ?? readText(resolve(this.dir, file));
    this.#texts.set(file, text);
    return text;
  }
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    return text.length > MAX_CHARACTERS ? '' : text;
  } catch {
    // It may have been changed since it was compiled.
    return '';
  }
}

function placeIn(text: string, call: number, path: Path): number | undefined {
  let value = argumentAt(text, call);
  let place: number | undefined;
  for (const part of path) {
    if (value === undefined) break;
    if (typeof part === 'number') {
      value = itemAt(text, value, part);
      place = value ?? place;
    } else {
      const member = memberAt(text, value, part);
      value = member?.value;
      place = member?.name ?? place;
    }
  }
  return place;
}

function offsetOf(text: string, line: number, column: number): number | undefined {
  let start = 0;
  for (let number = 1; number < line; number += 1) {
    start = text.indexOf('\n', start) + 1;
    if (start === 0) return undefined;
  }
  return start + column - 1;
}

function positionOf(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}
