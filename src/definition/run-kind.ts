/** What workflow ids of ours begin with, beside those of hand-written workflows. */
const KINDS = ['pipeline', 'task', 'flow', 'record_pipeline', 'attribute_pipeline'] as const;

/** What kind of run a workflow id belongs to; `workflow` for a hand-written one. */
export function runKind(workflowId: string): (typeof KINDS)[number] | 'workflow' {
  return KINDS.find((kind) => workflowId.startsWith(`${kind}/`)) ?? 'workflow';
}
