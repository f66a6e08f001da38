import type { Info } from '@temporalio/activity';
import type { RunReference } from '../src/pipeline/context.js';

/** What workflow ids of ours begin with, beside those of hand-written workflows. */
const KINDS = ['pipeline', 'task', 'flow', 'record_pipeline', 'attribute_pipeline'] as const;

/** The run that an activity works for. */
export function runReference(info: Info, principal: string | undefined): RunReference {
  const id = info.workflowExecution?.workflowId ?? '';
  return {
    id,
    name: info.workflowType ?? '',
    kind: KINDS.find((kind) => id.startsWith(`${kind}/`)) ?? 'workflow',
    ...(principal !== undefined && { principal }),
  };
}
