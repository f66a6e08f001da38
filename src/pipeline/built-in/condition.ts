import { z } from 'zod';
import { canonicalJson, isPlainObject, type Json } from '../../definition/json.js';
import { suggestion } from '../../definition/suggestion.js';

const comparable = z.union([z.number(), z.string()]);

/** What a property can be asked for. All that are given must hold. */
const operators = z.object({
  eq: z.json().optional(),
  ne: z.json().optional(),
  gt: comparable.optional(),
  gte: comparable.optional(),
  lt: comparable.optional(),
  lte: comparable.optional(),
  /** One of these values. */
  in: z.array(z.json()).optional(),
  /** A text that contains this text, or a list that has this value. */
  contains: z.json().optional(),
  /** There, and not null. */
  exists: z.boolean().optional(),
});

type Operator = keyof z.output<typeof operators>;

const KNOWN = Object.keys(operators.shape);

/** What is wrong with a condition as a definition has it, as a phrase; undefined when nothing is. */
export function conditionProblem(condition: Json): string | undefined {
  if (!isPlainObject(condition)) return undefined;
  const names = Object.keys(condition);
  if (names.length === 0)
    return 'it has no comparison. Write a value, or one of eq, ne, gt, gte, lt, lte, in, contains, exists';
  const strange = names.find((name) => !KNOWN.includes(name));
  if (strange !== undefined) return `"${strange}" is no comparison.${suggestion(strange, KNOWN)}`;
  const wrong = operators.safeParse(condition).error?.issues[0]?.path[0];
  return wrong === undefined ? undefined : `${String(wrong)} ${WANTS[wrong as Operator]}`;
}

/** What an operator takes, where it does not take every value. */
const WANTS: Readonly<Record<Operator, string>> = {
  eq: 'takes a value',
  ne: 'takes a value',
  gt: 'takes a number or a text',
  gte: 'takes a number or a text',
  lt: 'takes a number or a text',
  lte: 'takes a number or a text',
  in: 'takes a list of values',
  contains: 'takes a value',
  exists: 'takes true or false',
};

/** Whether a property's value satisfies a condition: an equal value, or every comparison of an object of them. */
export function satisfies(value: Json | undefined, condition: Json): boolean {
  if (!isPlainObject(condition)) return equal(value, condition);
  // The options' schema lets only known comparisons through.
  return Object.entries(condition).every(([operator, operand]) =>
    holds(operator as Operator, value, operand),
  );
}

function holds(operator: Operator, value: Json | undefined, operand: Json): boolean {
  switch (operator) {
    case 'eq':
      return equal(value, operand);
    case 'ne':
      return !equal(value, operand);
    case 'gt':
      return compare(value, operand, (order) => order > 0);
    case 'gte':
      return compare(value, operand, (order) => order >= 0);
    case 'lt':
      return compare(value, operand, (order) => order < 0);
    case 'lte':
      return compare(value, operand, (order) => order <= 0);
    case 'in':
      return Array.isArray(operand) && operand.some((one: Json) => equal(value, one));
    case 'contains':
      return contains(value, operand);
    case 'exists':
      return (value !== undefined && value !== null) === operand;
  }
}

/** A property that is not there equals null. */
function equal(value: Json | undefined, other: Json): boolean {
  return value === other || canonicalJson(value ?? null) === canonicalJson(other);
}

/** Numbers with numbers, texts with texts (by code unit, as ISO dates sort); anything else has no order. */
function compare(
  value: Json | undefined,
  operand: Json,
  test: (order: number) => boolean,
): boolean {
  if (typeof value === 'number' && typeof operand === 'number') return test(value - operand);
  if (typeof value !== 'string' || typeof operand !== 'string') return false;
  return test(value < operand ? -1 : value > operand ? 1 : 0);
}

function contains(value: Json | undefined, operand: Json): boolean {
  if (typeof value === 'string') return typeof operand === 'string' && value.includes(operand);
  return Array.isArray(value) && value.some((one: Json) => equal(one, operand));
}
