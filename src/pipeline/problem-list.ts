import { bareNumberHint, durationMs, InvalidDuration } from '../definition/duration.js';
import { isPlainObject } from '../definition/json.js';
import type { Problem, Site } from '../definition/problem.js';
import { unknownNames } from '../definition/unknown-name.js';

/** The way to something in a definition: `['stages', 0, 'operations', 1, 'type']`. */
export type Path = readonly (string | number)[];

/** Problems of one definition, collected while it is compiled. */
export class ProblemList {
  readonly #problems: Problem[];

  /**
   * @param told - places of which it has been told already that something is wrong there; nothing is added for what is there
   */
  constructor(
    readonly locate: (path: Path) => Site | undefined,
    readonly definition: string,
    readonly told: readonly Path[] = [],
    readonly base: Path = [],
    problems: Problem[] = [],
  ) {
    this.#problems = problems;
  }

  /** The same list, for something further down in the definition. */
  under(path: Path): ProblemList {
    const { locate, definition, told, base } = this;
    return new ProblemList(locate, definition, told, [...base, ...path], this.#problems);
  }

  add(path: Path, message: string, severity: 'error' | 'warning' = 'error'): void {
    const place = [...this.base, ...path];
    if (this.told.some((known) => isWithin(known, place))) return;
    const site = this.locate(place);
    const named =
      site?.line === undefined && this.definition ? `${this.definition}: ${message}` : message;
    this.#problems.push({
      ...(site !== undefined && { site }),
      definition: this.definition,
      message: named,
      severity,
    });
  }

  /** Tells what is wrong with a duration, unless none is set. */
  duration(path: Path, what: string, value: unknown): void {
    if (value === undefined || value === null) return;
    try {
      durationMs(value);
    } catch (error) {
      if (!(error instanceof InvalidDuration)) throw error;
      this.add(path, `${what}: ${error.message}`);
    }
  }

  /** Tells what is wrong with a time limit, and warns of a number that was probably meant as seconds. */
  timeout(path: Path, what: string, value: unknown): void {
    this.duration(path, what, value);
    const hint = bareNumberHint(value);
    if (hint !== undefined) this.add(path, `${what}: ${hint}`, 'warning');
  }

  /** What is written under names that do not exist. */
  unknownKeys(what: string, written: unknown, known: readonly string[]): void {
    if (!isPlainObject(written)) return;
    for (const { name, message } of unknownNames(written, known, 'key'))
      this.add([name], `${what}${message}`);
  }

  hasErrors(): boolean {
    return this.#problems.some((problem) => problem.severity !== 'warning');
  }

  all(): readonly Problem[] {
    return this.#problems;
  }
}

function isWithin(outer: Path, path: Path): boolean {
  return outer.every((part, at) => part === path[at]);
}
