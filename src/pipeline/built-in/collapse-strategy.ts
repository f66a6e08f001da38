import { z } from 'zod';
import { anyValue } from '../../contract/contract.js';
import { canonicalJson, type Json } from '../../definition/json.js';
import { permanent } from '../permanent.js';
import { presentType } from './property-type.js';

/**
 * How the values that a property has in several namespaces become one. Nulls and absent values are skipped by all.
 *
 * | strategy | result | of nothing but nulls |
 * |---|---|---|
 * | `collect` | the list of the values | `[]` |
 * | `distinct` | the list without repetitions | `[]` |
 * | `sum` | the sum of the numbers | 0 |
 * | `concat` | texts joined with `separator`, or lists put behind each other | null |
 * | `first`, `last` | the first or last value | null |
 * | `equal` | the value that all have; a conflict is an error | null |
 */
export const COLLAPSE_STRATEGIES = [
  'collect',
  'distinct',
  'sum',
  'concat',
  'first',
  'last',
  'equal',
] as const;

/** One of {@link COLLAPSE_STRATEGIES}. */
export type CollapseStrategy = (typeof COLLAPSE_STRATEGIES)[number];

/** A strategy with its setting. */
export interface CollapseRule {
  readonly strategy: CollapseStrategy;
  /** Between texts that are concatenated; nothing unless set. */
  readonly separator?: string;
}

/** The type in which a strategy reads a property whose type is not known, or whose type must be a certain one. */
export function readType(strategy: CollapseStrategy, known: z.ZodType): z.ZodType {
  const value =
    strategy === 'sum'
      ? z.number()
      : strategy === 'concat'
        ? z.union([z.string(), z.array(anyValue)])
        : undefined;
  if (value === undefined) return known;
  return known.safeParse(undefined).success ? value.nullish() : value.nullable();
}

/** The type of what a strategy makes of values of a type. */
export function resultType(strategy: CollapseStrategy, type: z.ZodType): z.ZodType {
  switch (strategy) {
    case 'collect':
    case 'distinct':
      return z.array(presentType(type));
    case 'sum':
      return z.number();
    case 'concat':
    case 'first':
    case 'last':
    case 'equal':
      return type;
  }
}

/**
 * One value of those that a property has in several namespaces, in their order. Undefined when there is none.
 *
 * @throws PermanentError of type `CollapseConflict` where `equal` finds two values, or `concat` texts and lists
 */
export function collapseValues(
  name: string,
  values: readonly Json[],
  rule: CollapseRule,
): Json | undefined {
  switch (rule.strategy) {
    case 'collect':
      return values;
    case 'distinct':
      return [...new Map(values.map((value) => [canonicalJson(value), value])).values()];
    case 'sum':
      return values.reduce<number>(
        (sum, value) => sum + (typeof value === 'number' ? value : 0),
        0,
      );
    case 'concat':
      return concat(name, values, rule.separator ?? '');
    case 'first':
      return values[0];
    case 'last':
      return values.at(-1);
    case 'equal':
      return onlyValue(name, values);
  }
}

function concat(name: string, values: readonly Json[], separator: string): Json | undefined {
  if (values.length === 0) return undefined;
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.length === values.length) return texts.join(separator);
  if (texts.length === 0) return values.flatMap(listed);
  throw permanent(
    `collapse: "${name}" is a text in some namespaces and a list in others, which concat cannot join.`,
    { property: name },
    'CollapseConflict',
  );
}

function listed(value: Json): readonly Json[] {
  // TypeScript's own check does not know readonly lists.
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

function onlyValue(name: string, values: readonly Json[]): Json | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  const text = canonicalJson(first);
  const other = values.find((value) => value !== first && canonicalJson(value) !== text);
  if (other === undefined) return first;
  throw permanent(
    `collapse: "${name}" is ${shorten(text)} in one namespace and ${shorten(canonicalJson(other))} in another. ` +
      `Choose how they become one, such as properties: { ${name}: collect }, or delete "${name}" before.`,
    { property: name, values: [shorten(text), shorten(canonicalJson(other))] },
    'CollapseConflict',
  );
}

/** Longest text of a value that a message repeats, in characters. */
const MAX_SHOWN = 60;

function shorten(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
