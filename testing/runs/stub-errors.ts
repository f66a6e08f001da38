import { suggestion } from '../../src/definition/suggestion.js';

/** A stub for something that the definition does not have. */
export class StubUnknown extends Error {
  override readonly name = 'StubUnknown';
  constructor(
    /** The pipeline or task. */
    readonly definition: string,
    /** The names that nothing has. */
    readonly names: readonly string[],
    readonly known: readonly string[],
  ) {
    super(
      names
        .map((name) => `"${definition}" has nothing called "${name}".${suggestion(name, known)}`)
        .join('\n'),
    );
  }
}

/** A stub, or what was recorded, that cannot stand in for the code: it breaks the contract, or there is none where one is needed. */
export class StubRefused extends Error {
  override readonly name = 'StubRefused';
  constructor(
    readonly definition: string,
    /** The operation with its stage, or the step. */
    readonly place: string,
    readonly reason: string,
  ) {
    super(`The stub of "${place}" in "${definition}" cannot stand in for it: ${reason}`);
  }
}

/** What was recorded is of another form of the definition. */
export class RecordingOutdated extends Error {
  override readonly name = 'RecordingOutdated';
  constructor(
    readonly definition: string,
    /** What was recorded, and is not there any more. */
    readonly gone: readonly string[],
  ) {
    super(
      `"${definition}" has changed since it was recorded: it has no ${gone.map((name) => `"${name}"`).join(', ')} any more. ` +
        'Record a run of it as it is now: millrace record RUN_ID --force',
    );
  }
}

/** A step for which a task waits, and nobody comes. */
export interface AwaitedStep {
  readonly step: string;
  /** An answer, or that it is retried or resolved. */
  readonly waitsFor: 'an answer' | 'a retry or a resolution';
}

/** A task waits for what a person tells of its steps, and the test tells nothing. */
export class TaskWaits extends Error {
  override readonly name = 'TaskWaits';
  constructor(
    readonly definition: string,
    readonly steps: readonly AwaitedStep[],
  ) {
    super(
      [
        `"${definition}" waits for somebody:`,
        ...steps.map(({ step, waitsFor }) => `  - step "${step}" for ${waitsFor}`),
        "Say what they tell: tell: [{ kind: 'answer', step, approved: true, result: {} }], or use server: 'time-skipping' to have approvals time out.",
      ].join('\n'),
    );
  }
}
