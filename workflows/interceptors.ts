import type { WorkflowInterceptors } from '@temporalio/workflow';

/** What surrounds every workflow, hand-written ones too. */
export function interceptors(): WorkflowInterceptors {
  return { inbound: [], outbound: [] };
}
