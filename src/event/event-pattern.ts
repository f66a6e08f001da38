import { runAlias } from './event.js';

/** Longest pattern, in characters. */
const MAX_PATTERN_LENGTH = 500;

const WORD = /^(?:\*\*?|[A-Za-z0-9_-]+)$/;

/**
 * Why a text is no pattern of event types, as a sentence; undefined for one that is.
 */
export function patternProblem(pattern: unknown): string | undefined {
  if (typeof pattern !== 'string' || pattern === '')
    return 'a pattern is a text such as "step.execution.failed", "*.execution.failed" or "payment.**".';
  if (pattern.length > MAX_PATTERN_LENGTH)
    return `a pattern of ${String(pattern.length)} characters is too long; the most is ${String(MAX_PATTERN_LENGTH)}.`;
  const wrong = pattern.split('.').find((word) => !WORD.test(word));
  if (wrong === undefined) return undefined;
  return `"${pattern}" is no pattern: between dots there are words of letters, digits, "_" and "-", or "*" for any word, or "**" for any number of them; not ${JSON.stringify(wrong)}.`;
}

/**
 * Tells whether events of a type are meant by a pattern. Words are divided by dots; `*` is any one word, `**` any number of them, none as well.
 * `run.execution.…` means runs of every kind.
 */
export function matchesPattern(pattern: string, eventType: string): boolean {
  const words = pattern.split('.');
  const alias = runAlias(eventType);
  return (
    matchesWords(words, eventType.split('.')) ||
    (alias !== undefined && words[0] === 'run' && matchesWords(words, alias.split('.')))
  );
}

/** By the number of words matched so far, so that no pattern takes longer than its words times those of the type. */
function matchesWords(pattern: readonly string[], words: readonly string[]): boolean {
  let reached = new Set([0]);
  for (const part of pattern) {
    const next = new Set<number>();
    for (const at of reached) {
      if (part === '**') for (let end = at; end <= words.length; end += 1) next.add(end);
      else if (at < words.length && (part === '*' || part === words[at])) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(words.length);
}
