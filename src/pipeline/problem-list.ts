import { durationMs, InvalidDuration } from '../definition/duration.js';
import type { Problem, Site } from '../definition/problem.js';

/** The way to something in a definition: `['stages', 0, 'operations', 1, 'type']`. */
export type Path = readonly (string | number)[];

/** Problems of one definition, collected while it is compiled. */
export class ProblemList {
  readonly #problems: Problem[];

  constructor(
    readonly locate: (path: Path) => Site | undefined,
    readonly definition: string,
    readonly base: Path = [],
    problems: Problem[] = [],
  ) {
    this.#problems = problems;
  }

  /** The same list, for something further down in the definition. */
  under(path: Path): ProblemList {
    return new ProblemList(this.locate, this.definition, [...this.base, ...path], this.#problems);
  }

  add(path: Path, message: string, severity: 'error' | 'warning' = 'error'): void {
    const site = this.locate([...this.base, ...path]);
    const named =
      site?.line === undefined && this.definition ? `${this.definition}: ${message}` : message;
    this.#problems.push({
      ...(site !== undefined && { site }),
      definition: this.definition,
      message: named,
      severity,
    });
  }

  /** Milliseconds of a duration; undefined where none is set, or where it is wrong, which becomes a problem. */
  duration(path: Path, what: string, value: unknown): number | undefined {
    if (value === undefined || value === null) return undefined;
    try {
      return durationMs(value);
    } catch (error) {
      if (!(error instanceof InvalidDuration)) throw error;
      this.add(path, `${what}: ${error.message}`);
      return undefined;
    }
  }

  hasErrors(): boolean {
    return this.#problems.some((problem) => problem.severity !== 'warning');
  }

  all(): readonly Problem[] {
    return this.#problems;
  }
}
