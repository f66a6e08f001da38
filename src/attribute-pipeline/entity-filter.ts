import type { Json } from '../definition/json.js';
import { valueProblem, type Attribute, type DataType } from './attribute.js';

/**
 * How a value is compared: numbers as numbers, texts by their code points. `null`: there is none, or it is null, as for an entity that has
 * nothing of the attribute; `!=` and `not_in` hold for those, too. `contains`: a text within a text, as it is written, or one of a list.
 */
export const FILTER_OPERATORS = [
  '=',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'in',
  'not_in',
  'null',
  'not_null',
  'contains',
] as const;

export type FilterOperator = (typeof FILTER_OPERATORS)[number];

/** One condition on an entity. */
export interface FilterCondition {
  /** The name of an attribute. */
  readonly attribute: string;
  readonly operator: FilterOperator;
  /** None for `null` and `not_null`; a list for `in` and `not_in`. */
  readonly value?: Json;
}

/** Which entities: those of which every condition holds. */
export type EntityFilter = readonly FilterCondition[];

/** Most conditions of a filter, and most values of a list in one. */
export const MAX_CONDITIONS = 20;
export const MAX_FILTER_VALUES = 500;

const ORDERED: readonly DataType[] = ['integer', 'number', 'text', 'select'];
const LISTS: readonly DataType[] = ['json', 'multiselect', 'belongs_to_multi'];
const CONTAINING: readonly DataType[] = [
  'text',
  'html',
  'select',
  'multiselect',
  'belongs_to_multi',
];

/** Why a condition cannot be asked of an attribute, as a sentence; undefined when it can. */
export function conditionProblem(
  condition: FilterCondition,
  attribute: Attribute | undefined,
): string | undefined {
  const { attribute: name, operator, value } = condition;
  // Filters come from requests, whatever their types say.
  if (!FILTER_OPERATORS.includes(operator))
    return `There is no operator ${JSON.stringify(operator)}; there are ${FILTER_OPERATORS.join(', ')}.`;
  if (attribute === undefined) return `There is no attribute "${name}".`;
  const { dataType } = attribute;
  const isIllTyped = (one: Json): string | undefined => {
    if (operator !== 'contains') return valueProblem(attribute, one);
    return typeof one === 'string'
      ? undefined
      : `${name} contains a text, not ${JSON.stringify(one).slice(0, 80)}.`;
  };
  switch (operator) {
    case 'null':
    case 'not_null':
      return value === undefined ? undefined : `${name} ${operator} takes no value.`;
    case 'in':
    case 'not_in': {
      if (LISTS.includes(dataType)) return noEquals(condition, dataType);
      if (!Array.isArray(value)) return `${name} ${operator} takes a list of values.`;
      const values: readonly Json[] = value;
      if (values.length > MAX_FILTER_VALUES)
        return `${name} ${operator} has ${String(values.length)} values; the most are ${String(MAX_FILTER_VALUES)}.`;
      return values
        .map((one) => valueProblem(attribute, one))
        .find((problem) => problem !== undefined);
    }
    case '>':
    case '>=':
    case '<':
    case '<=':
      if (!ORDERED.includes(dataType))
        return `${name} is of type ${dataType}, which has no order: ${operator} cannot be asked of it.`;
      break;
    case 'contains':
      if (!CONTAINING.includes(dataType))
        return `${name} is of type ${dataType}, which contains nothing. Use =.`;
      break;
    case '=':
    case '!=':
      if (LISTS.includes(dataType)) return noEquals(condition, dataType);
      break;
  }
  if (value === undefined || value === null)
    return `${name} ${operator} needs a value. To ask for none, use null or not_null.`;
  return isIllTyped(value);
}

function noEquals({ attribute, operator }: FilterCondition, dataType: DataType): string {
  const instead = CONTAINING.includes(dataType) ? 'Use contains.' : 'Use null or not_null.';
  return `${attribute} is of type ${dataType}, which ${operator} cannot be asked of. ${instead}`;
}
