import type { ExecutionStatus } from '../src/progress/status.js';
import type { RunningBody } from './body-watch.js';

/** A run that was open when its test's engine was stopped. */
export interface OpenRun {
  /** The workflow id. */
  readonly id: string;
  readonly status: ExecutionStatus;
}

/** Most that a message lists of a kind. */
const MAX_LISTED = 10;

/**
 * A test has left something behind: runs that were open when its engine was stopped, and have been terminated since; bodies that go on
 * though they were cancelled. Thrown when everything else has been cleaned up.
 */
export class LeftOver extends Error {
  override readonly name = 'LeftOver';

  constructor(
    readonly runs: readonly OpenRun[],
    readonly bodies: readonly RunningBody[],
  ) {
    const lines = [
      ...section(
        'Runs that were still open; wait for their results, cancel them, or terminate them:',
        runs.map(({ id, status }) => `${id} (${status})`),
      ),
      ...section(
        'Code that goes on though it was cancelled; have it look at `signal`:',
        bodies.map(({ kind, name }) => `${kind} "${name}"`),
      ),
    ];
    super(
      [
        'The test has left something behind.',
        ...lines,
        "leftOver: 'ignore' says that it may.",
      ].join('\n'),
    );
  }
}

function section(title: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const listed = items.slice(0, MAX_LISTED).map((item) => `  - ${item}`);
  const more = items.length - listed.length;
  return [title, ...listed, ...(more > 0 ? [`  - and ${String(more)} more`] : [])];
}
