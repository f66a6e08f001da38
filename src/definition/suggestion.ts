import { distance } from 'fastest-levenshtein';

/** Most names that a message lists. */
const MAX_LISTED = 12;

/** The known name that a wrong one was probably meant to be, or undefined when none is near. */
export function nearMiss(wrong: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((name) => ({ name, edits: edits(wrong.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const allowed = Math.min(3, Math.max(1, Math.floor(wrong.length / 3)));
  return nearest !== undefined && nearest.edits <= allowed ? nearest.name : undefined;
}

/** Letters in the wrong order are one slip of the hand, not two edits; so is a plural, such as `retries`. */
function edits(wrong: string, name: string): number {
  const letters = (text: string): string => Array.from(text).sort().join('');
  const count = distance(wrong, name);
  return isPlural(wrong, name) || (count === 2 && letters(wrong) === letters(name))
    ? Math.min(count, 1)
    : count;
}

/** Whether one of two names is the other's plural: `page` and `pages`, `retry` and `retries`. */
export function isPlural(a: string, b: string): boolean {
  const singular = (name: string): string => name.replace(/ies$/, 'y').replace(/s$/, '');
  return a !== b && singular(a) === singular(b);
}

/**
 * The sentence that helps after a wrong name: ` Did you mean "count-words"?`, or the known names, or nothing.
 * Starts with a blank, so that it can be put behind a message as it is.
 */
export function suggestion(wrong: string, known: readonly string[]): string {
  const near = nearMiss(wrong, known);
  if (near !== undefined) return ` Did you mean "${near}"?`;
  if (known.length === 0) return '';
  const shown = [...known].sort().slice(0, MAX_LISTED);
  return ` Known: ${shown.join(', ')}${known.length > shown.length ? ', …' : ''}.`;
}
