import { TASK_LIMITS } from './limits.js';
import type { BatchRange } from './step-outcome.js';

/** The ranges that a handler has made, or those of a size that all items make. */
export function rangesOf(
  made: readonly BatchRange[] | { readonly total: number },
  size: number,
): readonly BatchRange[] {
  if (!('total' in made)) return made.map(({ start, end }) => ({ start, end }));
  const { total } = made;
  // What is no number of items makes one range, which is refused.
  if (!Number.isInteger(total) || total < 0) return [{ start: 0, end: total }];
  const count = Math.ceil(total / size);
  // One more than there may be is enough to be refused.
  return Array.from({ length: Math.min(count, TASK_LIMITS.ranges + 1) }, (_, at) => ({
    start: at * size,
    end: Math.min(total, (at + 1) * size),
  }));
}

/** What is wrong with ranges, as a sentence; undefined where nothing is. */
export function wrongRanges(ranges: readonly BatchRange[]): string | undefined {
  if (ranges.length > TASK_LIMITS.ranges)
    return `There are more than ${String(TASK_LIMITS.ranges)} ranges (ranges). Make batch_size larger.`;
  const wrong = ranges.find(
    ({ start, end }) =>
      !Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end <= start,
  );
  if (wrong !== undefined)
    return `${JSON.stringify(wrong)} is no range: start is counted from 0, and end is the first item that is not part of it.`;
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  const at = sorted.findIndex(({ end }, index) => end > (sorted[index + 1]?.start ?? Infinity));
  if (at < 0) return undefined;
  return `The ranges ${JSON.stringify(sorted[at])} and ${JSON.stringify(sorted[at + 1])} have items in common.`;
}
