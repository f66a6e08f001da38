import { CancellationScope, CancelledFailure, workflowInfo } from '@temporalio/workflow';

/** Whether Temporal suggests to continue as new. */
export function isLongHistory(): boolean {
  return workflowInfo().continueAsNewSuggested;
}

/**
 * Leaves a long history behind, where Temporal suggests it. Temporal forgets a cancellation over this: one that has come ends the
 * run instead.
 *
 * @param again - continues as new
 */
export async function continueWhereSuggested(again: () => Promise<never>): Promise<void> {
  if (!isLongHistory()) return;
  if (isCancelled()) throw new CancelledFailure('The run was cancelled.');
  await again();
}

/**
 * Whether a cancellation has come. The workflow's own scope knows at once; those inside of it are told one after the other, and
 * what came together with the cancellation, such as the end of an activity, may be there before.
 */
function isCancelled(): boolean {
  for (
    let scope: CancellationScope | undefined = CancellationScope.current();
    scope?.cancellable === true;
    scope = scope.parent
  )
    if (scope.consideredCancelled) return true;
  return false;
}
