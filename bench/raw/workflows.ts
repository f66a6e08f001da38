import { proxyActivities } from '@temporalio/workflow';
import type { rawActivities } from './activities.js';

const { countWords, averageLength, grade } = proxyActivities<typeof rawActivities>({
  startToCloseTimeout: '1 minute',
});

/** What the hand-written three-step workflow returns. */
export interface RawReport {
  readonly text: string;
  readonly words: number;
  readonly average: number;
  readonly grade: string;
}

/** Returns its input: the least that a workflow can do. */
export async function rawNothing(input: {
  readonly text: string;
}): Promise<{ readonly text: string }> {
  return input;
}

/** Three ordinary activities, one after the other. */
export async function rawThreeSteps({ text }: { readonly text: string }): Promise<RawReport> {
  const words = await countWords(text);
  const average = await averageLength(text, words);
  return { text, words, average, grade: await grade(words, average) };
}
