import type { Site } from './problem.js';

/** A function that a project exports from `activities/`: a Temporal activity under the name of its export. */
export interface Activity {
  readonly name: string;
  readonly site?: Site;
  readonly run: (...args: readonly unknown[]) => unknown;
}
