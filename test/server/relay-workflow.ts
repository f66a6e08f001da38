import { continueAsNew } from '@temporalio/workflow';

/** A hand-written workflow that goes on as another run for as many laps as it is told. */
export async function relay({ laps }: { readonly laps: number }): Promise<{ done: boolean }> {
  return laps > 0 ? continueAsNew<typeof relay>({ laps: laps - 1 }) : { done: true };
}
