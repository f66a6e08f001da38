import { ContractViolation, type PropertyViolation } from '../../../src/contract/violation.js';
import { isPlainObject, type JsonObject } from '../../../src/definition/json.js';
import { suggestion } from '../../../src/definition/suggestion.js';
import type { ColumnKind } from '../../../src/record-store/column.js';
import { conditionsOf, type Condition } from '../../../src/record-store/condition.js';
import { InvalidQuery } from '../../../src/record-store/errors.js';
import type { RecordModel } from '../record-model.js';

/**
 * Makes conditions of what somebody has sent as JSON: the same as `where` takes in code, with dates as ISO 8601 and bigints as
 * numbers or texts of digits.
 *
 * @param existing - columns that the database has: a version may be from before some
 * @throws {@link ContractViolation} with the path of each thing that is wrong
 */
export function filterConditions(
  model: RecordModel,
  where: JsonObject,
  existing: ReadonlySet<string>,
): readonly Condition[] {
  const violations: PropertyViolation[] = [];
  const conditions = Object.entries(where).flatMap(([column, on]) => {
    const path = `where.${column}`;
    const kind = kindOf(model, column);
    const wrong = kind === undefined ? unknownColumn(model, column) : lacking(column, existing);
    if (kind === undefined || wrong !== undefined) {
      violations.push({ path, got: typeof on, message: `Property '${path}' ${wrong ?? ''}` });
      return [];
    }
    const reader = new ConditionReader(path, kind);
    const read = conditionOn(reader, on);
    violations.push(...reader.violations);
    if (reader.violations.length > 0) return [];
    try {
      return conditionsOf({ [column]: read }, () => kind === 'json');
    } catch (error) {
      if (!(error instanceof InvalidQuery)) throw error;
      violations.push({ path, got: typeof on, message: `Property '${path}': ${error.message}` });
      return [];
    }
  });
  if (violations.length > 0) throw new ContractViolation(violations);
  return conditions;
}

function kindOf(model: RecordModel, column: string): ColumnKind | undefined {
  if (column === 'id') return 'integer';
  return model.columns.find(({ name }) => name === column)?.kind;
}

function unknownColumn(model: RecordModel, column: string): string {
  const known = [...model.position.keys()];
  return `is no column of ${model.name}.${suggestion(column, known)}`;
}

function lacking(column: string, existing: ReadonlySet<string>): string | undefined {
  return existing.has(column) ? undefined : 'is a column that this version does not have yet';
}

/** What a condition compares with, as code would have written it. Columns that keep JSON take any value as it is. */
function conditionOn(reader: ConditionReader, on: unknown): unknown {
  if (reader.kind === 'json' || !isPlainObject(on)) return reader.valueOrList(on);
  return Object.fromEntries(
    Object.entries(on).map(([operator, value]) => [operator, reader.operand(operator, value)]),
  );
}

/** What values of each kind of column are, in words. */
const EXPECTED: Readonly<Record<ColumnKind, string>> = {
  text: 'string',
  integer: 'number',
  real: 'number',
  bigint: 'whole number, or a text of digits',
  boolean: 'boolean',
  date: 'time such as 2026-01-31T12:00:00Z',
  json: 'any value',
};

/** Reads the values of one condition, and collects what is wrong with them. */
class ConditionReader {
  readonly violations: PropertyViolation[] = [];

  constructor(
    private readonly path: string,
    readonly kind: ColumnKind,
  ) {}

  operand(operator: string, value: unknown): unknown {
    const path = `${this.path}.${operator}`;
    if (operator === 'like') return this.#like(path, value);
    if (operator === 'in' && !Array.isArray(value)) return this.#wrong(path, 'array', value);
    return this.valueOrList(value, path);
  }

  valueOrList(value: unknown, path = this.path): unknown {
    if (!Array.isArray(value)) return this.#value(path, value);
    return value.map((one: unknown, at) => this.#value(`${path}[${String(at)}]`, one));
  }

  #like(path: string, value: unknown): unknown {
    if (this.kind !== 'text') return this.#wrong(path, 'column that keeps texts', value);
    return typeof value === 'string' ? value : this.#wrong(path, 'string', value);
  }

  #value(path: string, value: unknown): unknown {
    if (value === null || this.kind === 'json') return value;
    const read = readValue(this.kind, value);
    return read ?? this.#wrong(path, EXPECTED[this.kind], value);
  }

  #wrong(path: string, expected: string, value: unknown): unknown {
    const got = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
    const message = `Property '${path}' expected ${expected}, got ${got}`;
    this.violations.push({ path, expected, got, message });
    return undefined;
  }
}

/** A value of JSON as a column's own value, or undefined where it cannot be one. */
function readValue(kind: Exclude<ColumnKind, 'json'>, value: unknown): unknown {
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? value : undefined;
    case 'integer':
    case 'real':
      return typeof value === 'number' ? value : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'bigint':
      if (typeof value === 'string') return /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
      return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
    case 'date': {
      const time = typeof value === 'string' ? new Date(value) : undefined;
      return time === undefined || Number.isNaN(time.getTime()) ? undefined : time;
    }
  }
}
