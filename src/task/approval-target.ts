/** The step that waits for somebody's answer. */
export interface ApprovalTarget {
  /** Of the task. */
  readonly name: string;
  readonly executionId: string;
  readonly step: string;
}
