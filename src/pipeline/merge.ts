import { ownMember, type Json } from '../definition/json.js';
import { applyChanges, type Changes, type Namespace } from './namespace.js';

/**
 * How the changes of a stage's parallel operations to the same property come together:
 * `last` (the later listed operation wins), `first` (the earlier one wins), `collate` (a property that several
 * operations declare becomes the list of what they set, in listed order), `disjoint` (no property may be declared twice;
 * refused when the definitions are loaded).
 */
export type MergeStrategy = 'last' | 'first' | 'collate' | 'disjoint';

/** Every merge strategy, the default first. */
export const MERGE_STRATEGIES = [
  'last',
  'first',
  'collate',
  'disjoint',
] as const satisfies readonly MergeStrategy[];

/**
 * One namespace after a stage: the changes of its operations, in listed order, applied to the stage's input.
 *
 * @param shared - the properties that more than one operation of the stage declares to set; only `collate` asks.
 */
export function mergeChanges(
  strategy: MergeStrategy,
  input: Namespace,
  changes: readonly Changes[],
  shared: readonly string[],
): Namespace {
  switch (strategy) {
    case 'last':
    case 'disjoint':
      return changes.reduce(applyChanges, input);
    case 'first':
      return changes.toReversed().reduce(applyChanges, input);
    case 'collate':
      return collate(input, changes, shared);
  }
}

function collate(
  input: Namespace,
  changes: readonly Changes[],
  shared: readonly string[],
): Namespace {
  const merged = changes.reduce(applyChanges, input);
  const lists = shared
    .map((name) => [name, valuesSet(changes, name)] as const)
    .filter(([, values]) => values.length > 0);
  return lists.length === 0 ? merged : { ...merged, ...Object.fromEntries(lists) };
}

function valuesSet(changes: readonly Changes[], name: string): readonly Json[] {
  return changes.flatMap(({ set }) => {
    const value = ownMember(set, name);
    return value === undefined ? [] : [value];
  });
}
