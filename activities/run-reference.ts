import type { Info } from '@temporalio/activity';
import { runKind } from '../src/definition/run-kind.js';
import type { RunReference } from '../src/pipeline/context.js';

/** The run that an activity works for. */
export function runReference(info: Info, principal: string | undefined): RunReference {
  const id = info.workflowExecution?.workflowId ?? '';
  return {
    id,
    name: info.workflowType ?? '',
    kind: runKind(id),
    ...(principal !== undefined && { principal }),
  };
}
