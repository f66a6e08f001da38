import { CancellationScope, CancelledFailure, workflowInfo } from '@temporalio/workflow';

/**
 * Leaves a long history behind, where Temporal suggests it. Temporal forgets a cancellation over this: one that has come ends the
 * run instead.
 *
 * @param again - continues as new
 */
export async function continueWhereSuggested(again: () => Promise<never>): Promise<void> {
  if (!workflowInfo().continueAsNewSuggested) return;
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('The run was cancelled.');
  await again();
}
