import { violationsOf, type PropertyViolation } from '../../src/contract/violation.js';
import { storedValue, type StoredValue } from '../../src/record-store/column.js';
import { RecordInvalid } from '../../src/record-store/errors.js';
import type { RecordModel } from './record-model.js';
import { valuesOf } from './record-class.js';
import { idOf, type Row } from './row.js';

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
    const stored = storedValue(column, parsed.data);
    if (stored === row[at]) continue;
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
