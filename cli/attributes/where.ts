import {
  FILTER_OPERATORS,
  type EntityFilter,
  type FilterCondition,
} from '../../src/attribute-pipeline/entity-filter.js';
import type { Json } from '../../src/definition/json.js';
import { UsageError } from '../exit-code.js';

/** Longer ones first: `>=` is no `>`. */
const OPERATORS = [...FILTER_OPERATORS].sort((one, other) => other.length - one.length);

/** One more condition of an option that may be repeated. */
export function alsoWhere(one: string, others: readonly string[]): readonly string[] {
  return [...others, one];
}

/**
 * Conditions as people write them: `width>3`, `color in ["red","green"]`, `name null`. Values are JSON, and texts where they are none.
 *
 * @throws {@link UsageError}
 */
export function filterOf(written: readonly string[]): EntityFilter | undefined {
  return written.length === 0 ? undefined : written.map(conditionOf);
}

function conditionOf(text: string): FilterCondition {
  const [, attribute, rest = ''] = /^\s*(\w+)\s*(.*?)\s*$/s.exec(text) ?? [];
  const operator = OPERATORS.find((known) => startsWith(rest, known));
  if (attribute === undefined || operator === undefined)
    throw new UsageError(
      `--where ${JSON.stringify(text)} is no condition. Write an attribute, one of ${FILTER_OPERATORS.join(' ')}, and a value: --where 'width>3'.`,
    );
  const value = rest.slice(operator.length).trim();
  return { attribute, operator, ...(value !== '' && { value: valueOf(value) }) };
}

/** An operator of letters is a word of its own. */
function startsWith(text: string, operator: string): boolean {
  if (!text.startsWith(operator)) return false;
  return !/\w$/.test(operator) || !/^\w/.test(text.slice(operator.length));
}

function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
