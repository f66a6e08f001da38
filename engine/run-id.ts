/** The kinds of runs, which their workflow ids begin with. */
export type RunKind = 'pipeline' | 'workflow' | 'flow';

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
  const match = /^(pipeline|workflow|flow)\/([^/]+)\/([^/]+)$/.exec(workflowId);
  const [, kind, name, executionId] = match ?? [];
  if (
    (kind !== 'pipeline' && kind !== 'workflow' && kind !== 'flow') ||
    name === undefined ||
    executionId === undefined
  )
    return undefined;
  return { kind, name, executionId };
}
