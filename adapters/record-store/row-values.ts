import { violationsOf, type PropertyViolation } from '../../src/contract/violation.js';
import { storedValue, type Column, type StoredValue } from '../../src/record-store/column.js';
import { RecordInvalid } from '../../src/record-store/errors.js';
import { errorMessage } from '../error-parts.js';
import type { RecordModel } from './record-model.js';
import { valuesOf } from './record-class.js';
import { idOf, isSameValue, type Row } from './row.js';

/**
 * The row of a record that is to be created.
 *
 * @throws {@link RecordInvalid}
 */
export function newRow(
  model: RecordModel,
  values: Readonly<Record<string, unknown>>,
  nextId: () => number,
): Row {
  const parsed = model.type.safeParse(values);
  if (!parsed.success)
    throw new RecordInvalid(model.name, undefined, violationsOf(parsed.error, values));
  const given: Readonly<Record<string, unknown>> = parsed.data;
  const violations = model.columns.flatMap((column) => unkeepable(column, given[column.name]));
  if (violations.length > 0) throw new RecordInvalid(model.name, undefined, violations);
  const columns = model.columns.map((column) => storedValue(column, given[column.name]));
  checkTogether(model, undefined, [0, ...columns]);
  return [nextId(), ...columns];
}

/** A row after a change, and the positions of what is other than before. */
export interface ChangedRow {
  readonly row: Row;
  readonly columns: readonly number[];
}

/**
 * The row of a record after a change.
 *
 * @throws {@link RecordInvalid}
 */
export function changedRow(
  model: RecordModel,
  before: Row,
  values: Readonly<Record<string, unknown>>,
): ChangedRow {
  const row: StoredValue[] = [...before];
  const columns: number[] = [];
  const violations: PropertyViolation[] = [];
  for (const [name, value] of Object.entries(values)) {
    const at = model.position.get(name) ?? 0;
    const column = model.columns[at - 1];
    if (column === undefined) {
      violations.push(unknownColumn(model, name));
      continue;
    }
    const parsed = column.type.safeParse(value);
    if (!parsed.success) {
      const of = violationsOf(parsed.error, value);
      violations.push(...of.map((violation) => within(name, violation)));
      continue;
    }
    const unkept = unkeepable(column, parsed.data);
    if (unkept.length > 0) {
      violations.push(...unkept);
      continue;
    }
    const stored = storedValue(column, parsed.data);
    if (isSameValue(stored, row[at] ?? null)) continue;
    row[at] = stored;
    columns.push(at);
  }
  if (violations.length > 0) throw new RecordInvalid(model.name, idOf(before), violations);
  if (columns.length > 0) checkTogether(model, idOf(before), row);
  return { row, columns };
}

function checkTogether(model: RecordModel, id: number | undefined, row: Row): void {
  const { validates } = model;
  if (validates === undefined) return;
  const found = validates(valuesOf(model, row)) ?? [];
  const sentences = typeof found === 'string' ? [found] : found;
  if (sentences.length === 0) return;
  const violations = sentences.map((message) => ({ path: '', got: '', message }));
  throw new RecordInvalid(model.name, id, violations);
}

/** What a schema lets through, and SQLite has no place for. Found here, since it would be in the way of others when it is written. */
function unkeepable({ name, kind }: Column, value: unknown): readonly PropertyViolation[] {
  if (value === undefined || value === null) return [];
  if (kind === 'bigint' && BigInt.asIntN(64, value as bigint) !== value)
    return [violation(name, value, 'is too large a whole number: SQLite keeps those of 64 bits')];
  if (kind !== 'json') return [];
  try {
    const json = JSON.stringify(value) as string | undefined;
    return json === undefined
      ? [violation(name, value, `cannot be kept as JSON: it is a ${typeof value}`)]
      : [];
  } catch (error) {
    return [violation(name, value, `cannot be kept as JSON: ${errorMessage(error)}`)];
  }
}

function violation(path: string, value: unknown, wrong: string): PropertyViolation {
  return { path, got: typeof value, message: `Property '${path}' ${wrong}` };
}

function unknownColumn(model: RecordModel, name: string): PropertyViolation {
  const message =
    name === 'id'
      ? 'The id of a record cannot be changed'
      : `There is no column ${JSON.stringify(name)}; there are ${model.columns.map((column) => column.name).join(', ')}`;
  return { path: name, got: name, message };
}

/** A violation of a column's own schema, with the column's name in its path and its message. */
function within(column: string, violation: PropertyViolation): PropertyViolation {
  const path = violation.path === '' ? column : `${column}.${violation.path}`;
  const message = violation.message.replace(`Property '${violation.path}'`, `Property '${path}'`);
  return { ...violation, path, message };
}
