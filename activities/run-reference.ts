import type { Info } from '@temporalio/activity';
import type { RunReference } from '../src/pipeline/context.js';

/** The run that an activity works for. */
export function runReference(info: Info, principal: string | undefined): RunReference {
  return {
    id: info.workflowExecution?.workflowId ?? '',
    name: info.workflowType ?? '',
    kind: 'pipeline',
    ...(principal !== undefined && { principal }),
  };
}
