import { jsonBytes } from '../../../src/definition/json.js';
import { fitting } from '../../../src/record-pipeline/fitting.js';
import {
  STORE_QUESTION_LIMITS,
  type DiffAnswer,
  type DiffOfRecord,
} from '../../../src/record-pipeline/store-question.js';
import type { RecordModel, RecordModels } from '../record-model.js';
import { idOf, type Row } from '../row.js';
import { diffStatements } from '../version/diff.js';
import { columnsIn } from './columns-in.js';
import { cutValues, jsonRow, valueCharacters } from './json-row.js';
import { readFile } from './read-file.js';
import type { CutCell, ReadRows, ReadStatement } from './read-thread.js';

/** Two states of a store: files, the older one first. */
export interface DiffPageRequest {
  readonly before: string;
  readonly after: string;
  readonly models: RecordModels;
  /** Most records that are listed of each type. */
  readonly limit: number;
}

/** Statements of one record type: three that count, and one that lists. */
const STATEMENTS = 4;

/**
 * What two states of a store differ in, as JSON: so many records of each type, and of so many bytes together, as one answer may
 * have. The counts are whole in any case.
 *
 * @throws {@link StoreUnusable}, {@link StoreReadTimeout}
 */
export async function diffPage(
  { before, after, models, limit }: DiffPageRequest,
  signal: AbortSignal,
): Promise<DiffAnswer> {
  const all = [...models.values()];
  const statements = all.flatMap((model) => {
    const columns = { older: columnsIn(before, model), newer: columnsIn(after, model) };
    const { added, removed, changed, changes } = diffStatements(model, columns);
    return [counting(added), counting(removed), counting(changed), listing(model, changes, limit)];
  });
  const results = await readFile({ file: after, older: before, statements }, signal);
  let left: number = STORE_QUESTION_LIMITS.answerBytes;
  return Object.fromEntries(
    all.map((model, at) => {
      const found = diffOf(model, results.slice(at * STATEMENTS, (at + 1) * STATEMENTS), left);
      left -= found.bytes;
      return [model.name, found.diff];
    }),
  );
}

function counting(sql: string): ReadStatement {
  return { sql, parameters: [], valueCharacters: 0, characters: 1 };
}

function listing(model: RecordModel, sql: string, limit: number): ReadStatement {
  return {
    sql,
    parameters: [limit],
    // Each row has both states.
    valueCharacters: valueCharacters(model.columns.length * 2),
    characters: STORE_QUESTION_LIMITS.answerBytes,
  };
}

function diffOf(
  model: RecordModel,
  results: readonly ReadRows[],
  bytes: number,
): { readonly diff: DiffOfRecord; readonly bytes: number } {
  const [added = 0, removed = 0, changed = 0] = results
    .slice(0, STATEMENTS - 1)
    .map(({ rows }) => Number(rows[0]?.[0] ?? 0));
  const { rows = [], cut = [] } = results[STATEMENTS - 1] ?? {};
  const listed = rows.map((row, at) => change(model, row, (cell) => isAt(cut, at, cell)));
  const changes = fitting(listed, bytes);
  return {
    diff: { added, removed, changed, changes, cut: cutOf(model, rows, cut, changes.length) },
    bytes: jsonBytes(changes),
  };
}

function change(
  model: RecordModel,
  row: Row,
  isCut: (position: number) => boolean,
): DiffOfRecord['changes'][number] {
  const width = model.columns.length + 1;
  const [before, after] = [row.slice(0, width), row.slice(width)];
  return {
    id: Number(before[0] ?? after[0]),
    before: before[0] === null ? null : jsonRow(model, before, isCut),
    after: after[0] === null ? null : jsonRow(model, after, (at) => isCut(width + at)),
  };
}

function isAt(cut: readonly CutCell[], row: number, at: number): boolean {
  return cut.some((cell) => cell.row === row && cell.at === at);
}

/** A value that was cut on both sides is told once, with the longer one. */
function cutOf(
  model: RecordModel,
  rows: readonly Row[],
  cut: readonly CutCell[],
  shown: number,
): DiffOfRecord['cut'] {
  const width = model.columns.length + 1;
  const longest = new Map<string, CutCell>();
  for (const cell of cut.filter(({ row }) => row < shown)) {
    const at = cell.at % width;
    const key = `${String(cell.row)}.${String(at)}`;
    if (cell.characters > (longest.get(key)?.characters ?? 0)) longest.set(key, { ...cell, at });
  }
  const ids = rows.map((row): Row => [idOf(row[0] === null ? row.slice(width) : row)]);
  return cutValues(model, ids, [...longest.values()]);
}
