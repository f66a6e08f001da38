import type { Row } from '../../../src/data-flow/row.js';

/** What the fields of a record are called. */
export interface CsvColumns {
  readonly names: readonly string[];
  /** Takes records with fewer fields or with more. */
  readonly relax: boolean;
}

/** The row of a record. */
export function rowOf(fields: readonly string[], { names }: CsvColumns): Row {
  const row: Record<string, string> = {};
  for (let column = 0; column < names.length && column < fields.length; column += 1)
    row[names[column] as string] = fields[column] as string;
  return row;
}

/** Whether a record has as many fields as there are columns, where it has to. */
export function fits({ length }: readonly string[], { names, relax }: CsvColumns): boolean {
  return relax || length === names.length;
}

/** Why a record is no row that does not fit. */
export function misfit({ length }: readonly string[], { names }: CsvColumns): string {
  return `The row has ${String(length)} fields, the columns are ${String(names.length)} (${names.join(', ')}). Set \`relax\` to take it anyway.`;
}
