import { structuredPatch } from 'diff';

/** Most lines of a difference that are shown. */
const MAX_LINES = 80;
/** Longest line that is shown, in characters. */
const MAX_WIDTH = 200;

/** What differs between two texts, as lines that begin with "+", "-", " " or "@@". */
export function differences(before: string, after: string): readonly string[] {
  const { hunks } = structuredPatch('', '', before, after, '', '', { context: 2 });
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: own }) => [
    `@@ -${String(oldStart)},${String(oldLines)} +${String(newStart)},${String(newLines)} @@`,
    ...own.filter((line) => !line.startsWith('\\')).map((line) => line.slice(0, MAX_WIDTH)),
  ]);
  const more = lines.length - MAX_LINES;
  return more > 0 ? [...lines.slice(0, MAX_LINES), `… ${String(more)} more lines`] : lines;
}
