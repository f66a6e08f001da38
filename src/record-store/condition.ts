import { InvalidQuery } from './errors.js';
import type { Columns, Values } from './column.js';

/** What a column may be compared with beside a value itself. */
export interface Comparison<T> {
  readonly eq?: T | null;
  readonly not?: T | null | readonly T[];
  readonly in?: readonly T[];
  readonly gt?: T;
  readonly gte?: T;
  readonly lt?: T;
  readonly lte?: T;
  /** SQL's LIKE: `%` stands for any text, `_` for one character. */
  readonly like?: string;
}

/** Conditions by column, which all have to hold. A list means: one of these; null: has no value. */
export type Conditions<C extends Columns> = {
  readonly [K in keyof Values<C> | 'id']?: ConditionOn<
    K extends keyof Values<C> ? Values<C>[K] : number
  >;
};

type ConditionOn<T> =
  NonNullable<T> | null | readonly NonNullable<T>[] | Comparison<NonNullable<T>>;

/** A condition as a query keeps it. */
export type Condition =
  | {
      readonly kind: 'compare';
      readonly column: string;
      readonly operator: CompareOperator;
      readonly value: unknown;
    }
  | { readonly kind: 'null'; readonly column: string; readonly negated: boolean }
  | {
      readonly kind: 'in';
      readonly column: string;
      readonly negated: boolean;
      readonly values: readonly unknown[];
    }
  /** A fragment of SQL with `?` for each value. */
  | { readonly kind: 'sql'; readonly text: string; readonly values: readonly unknown[] };

/** Operators of SQL that take one value. */
export type CompareOperator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'like';

const OPERATORS: Readonly<Record<string, CompareOperator>> = {
  eq: '=',
  not: '!=',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'like',
};

/** Most values of one list, far from the parameters that SQLite takes. */
const MAX_VALUES = 10_000;

/**
 * Takes an object of conditions apart.
 *
 * @param isWhole - whether objects are values of a column, as they are of one that keeps JSON
 * @throws {@link InvalidQuery} for an operator that there is not
 */
export function conditionsOf(
  written: Readonly<Record<string, unknown>>,
  isWhole: (column: string) => boolean,
): readonly Condition[] {
  return Object.entries(written).flatMap(([column, on]) => {
    // So that a value which somebody forgot to set does not make a query mean everything.
    if (on === undefined)
      throw new InvalidQuery(
        `The condition on ${column} is undefined. Say null for records without a value, or leave it out.`,
      );
    if (isComparison(on) && !isWhole(column))
      return Object.entries(on).map(([operator, value]) => compare(column, operator, value));
    return [equality(column, on, false)];
  });
}

function isComparison(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function compare(column: string, operator: string, value: unknown): Condition {
  if (operator === 'eq' || operator === 'not') return equality(column, value, operator === 'not');
  if (operator === 'in') return equality(column, [...(value as readonly unknown[])], false);
  const sql = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (sql === undefined)
    throw new InvalidQuery(
      `The condition on ${column} has the operator ${JSON.stringify(operator)}. There are: ${[...Object.keys(OPERATORS), 'in'].join(', ')}.`,
    );
  if (value === undefined || value === null)
    throw new InvalidQuery(
      `The condition on ${column} compares with nothing: { ${operator}: ${String(value)} }.`,
    );
  return { kind: 'compare', column, operator: sql, value };
}

function equality(column: string, value: unknown, negated: boolean): Condition {
  if (value === null) return { kind: 'null', column, negated };
  if (Array.isArray(value)) {
    if (value.length > MAX_VALUES)
      throw new InvalidQuery(
        `The condition on ${column} lists ${String(value.length)} values; the most is ${String(MAX_VALUES)}.`,
      );
    return { kind: 'in', column, negated, values: value as readonly unknown[] };
  }
  return { kind: 'compare', column, operator: negated ? '!=' : '=', value };
}
