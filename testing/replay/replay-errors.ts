/** A history that workflow code would not repeat. */
export interface DivergedHistory {
  /** The file, or the workflow id where it is from none. */
  readonly history: string;
  readonly workflowId: string;
  /** What the code does otherwise. */
  readonly reason: string;
}

/** Workflow code does something else than it did in histories: runs like these would hang after a deploy of it. */
export class HistoriesDiverged extends Error {
  override readonly name = 'HistoriesDiverged';

  constructor(
    readonly diverged: readonly DivergedHistory[],
    /** How many were replayed. */
    readonly count: number,
  ) {
    super(
      [
        `The workflow code does something else than it did in ${String(diverged.length)} of ${String(count)} histories. Runs like these would ` +
          'hang when it is deployed: keep the old way for them with patched(), or give the workflow another name.',
        ...diverged.map(({ history, reason }) => `  - ${history}: ${reason}`),
      ].join('\n'),
    );
  }
}

/** Something that is no history of a run. */
export class HistoryInvalid extends Error {
  override readonly name = 'HistoryInvalid';
  constructor(
    /** The file, or its place in the list. */
    readonly history: string,
    reason: string,
  ) {
    super(
      `${history} is no history of a run: ${reason} Download one with: temporal workflow show --workflow-id ID --output json`,
    );
  }
}
