/** The kinds of runs, which their workflow ids begin with. */
export type RunKind = (typeof RUN_KINDS)[number];

export const RUN_KINDS = [
  'pipeline',
  'workflow',
  'task',
  'flow',
  'record_pipeline',
  'attribute_pipeline',
] as const;

/** What a workflow id of ours says. */
export interface RunId {
  readonly kind: RunKind;
  readonly name: string;
  /** A flow's run has its number. */
  readonly executionId: string;
}

/** The workflow id of a run: `pipeline/summarize/01J…`. */
export function formatRunId({ kind, name, executionId }: RunId): string {
  return `${kind}/${name}/${executionId}`;
}

/** The parts of a workflow id, or undefined when it is none of ours. */
export function parseRunId(workflowId: string): RunId | undefined {
  const [, written, name, executionId] = /^([^/]+)\/([^/]+)\/([^/]+)$/.exec(workflowId) ?? [];
  const kind = RUN_KINDS.find((known) => known === written);
  if (kind === undefined || name === undefined || executionId === undefined) return undefined;
  return { kind, name, executionId };
}
