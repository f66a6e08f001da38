import { canonicalJson, isPlainObject, type Json } from '../definition/json.js';

/** How an output is compared with the one that is wanted. */
export type Comparison =
  /** The same JSON, however its members are ordered. */
  | { readonly kind: 'exact' }
  /** Numbers that are at most so far apart. */
  | { readonly kind: 'number'; readonly tolerance: number }
  /** Texts without regard to capitals, or to white space. */
  | {
      readonly kind: 'text';
      readonly ignoreCase: boolean;
      readonly ignoreWhitespace: boolean;
    }
  /** Lists with the same entries, in whatever order and however often. */
  | { readonly kind: 'set' }
  /** What is wanted is in the output, which may have more. */
  | { readonly kind: 'subset' };

/** Whether an output is what is wanted. */
export function passes(comparison: Comparison, desired: Json, actual: Json): boolean {
  switch (comparison.kind) {
    case 'exact':
      return canonicalJson(desired) === canonicalJson(actual);
    case 'number':
      if (typeof desired !== 'number' || typeof actual !== 'number') return false;
      return Math.abs(desired - actual) <= comparison.tolerance;
    case 'text':
      if (typeof desired !== 'string' || typeof actual !== 'string') return false;
      return plain(desired, comparison) === plain(actual, comparison);
    case 'set':
      if (!Array.isArray(desired) || !Array.isArray(actual)) return false;
      return entries(desired) === entries(actual);
    case 'subset':
      return contains(actual, desired);
  }
}

function plain(
  text: string,
  { ignoreCase, ignoreWhitespace }: Extract<Comparison, { readonly kind: 'text' }>,
): string {
  const spaced = ignoreWhitespace ? text.replace(/\s+/g, ' ').trim() : text;
  return ignoreCase ? spaced.toLowerCase() : spaced;
}

function entries(list: readonly Json[]): string {
  return [...new Set(list.map((entry) => canonicalJson(entry)))].sort().join(',');
}

function contains(whole: Json, part: Json): boolean {
  if (Array.isArray(part)) {
    if (!Array.isArray(whole)) return false;
    const all: readonly Json[] = whole;
    return part.every((one: Json) => all.some((other) => contains(other, one)));
  }
  if (!isPlainObject(part)) return canonicalJson(whole) === canonicalJson(part);
  if (!isPlainObject(whole)) return false;
  return Object.entries(part).every(
    // Both are JSON.
    ([name, value]) => Object.hasOwn(whole, name) && contains(whole[name] as Json, value),
  );
}

/** What is wanted of a pipeline for one entity. */
export interface EvalInput {
  readonly entityId: string;
  readonly desiredOutput: Json;
  readonly comparison: Comparison;
  readonly notes: string | null;
}

/** An eval, with what has come of it. */
export interface Eval extends EvalInput {
  readonly id: string;
  readonly entityType: string;
  readonly attribute: string;
  /** The entity's key; null where it has none. */
  readonly entityKey: string | null;
  /** Of what the output was computed from; null before it ran. */
  readonly inputHash: string | null;
  /** Undefined before it ran, and where the pipeline had none. */
  readonly actualOutput: Json | undefined;
  /** Of a run that came to nothing: why. */
  readonly justification: string | null;
  readonly confidence: number | null;
  /** Null before it ran. */
  readonly passed: boolean | null;
  readonly lastRanAt: Date | null;
  readonly lockVersion: number;
  /** Who has edited it last. */
  readonly updatedBy: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** How many evals of a pipeline have passed at a time. */
export interface EvalRate {
  readonly at: Date;
  readonly pipelineVersion: number;
  readonly evals: number;
  readonly passed: number;
}
