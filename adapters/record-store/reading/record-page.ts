import type { JsonObject } from '../../../src/definition/json.js';
import type { Condition } from '../../../src/record-store/condition.js';
import { pageOf } from '../../../src/record-pipeline/fitting.js';
import {
  STORE_QUESTION_LIMITS,
  type RecordPage,
} from '../../../src/record-pipeline/store-question.js';
import type { RecordModel } from '../record-model.js';
import { idOf } from '../row.js';
import { selectRows } from '../select.js';
import { columnsIn } from './columns-in.js';
import { filterConditions } from './json-filter.js';
import { cutValues, jsonRow, valueCharacters } from './json-row.js';
import { readFile } from './read-file.js';

/** Which records of a database are wanted. */
export interface RecordPageRequest {
  readonly file: string;
  readonly model: RecordModel;
  readonly where?: JsonObject | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

/**
 * Records of one type by their ids, as JSON: so many, and of so many bytes, as one answer may have.
 *
 * @throws {@link ContractViolation} for conditions that are none, {@link StoreUnusable}, {@link StoreReadTimeout}
 */
export async function recordPage(
  { file, model, where = {}, after = 0, limit }: RecordPageRequest,
  signal: AbortSignal,
): Promise<RecordPage> {
  const existing = columnsIn(file, model);
  const conditions = filterConditions(model, where, existing);
  // A version from before there were such records.
  if (existing.size === 0) return { records: [], cut: [] };
  const following: Condition = { kind: 'compare', column: 'id', operator: '>', value: after };
  const statement = selectRows(
    model,
    // One more tells whether there is another page.
    { conditions: [...conditions, following], order: [], limit: limit + 1 },
    existing,
  );
  const [read] = await readFile(
    {
      file,
      statements: [
        {
          ...statement,
          valueCharacters: valueCharacters(model.columns.length),
          characters: STORE_QUESTION_LIMITS.answerBytes,
        },
      ],
    },
    signal,
  );
  const { rows = [], cut = [], hasMore = false } = read ?? {};
  const isCut = (row: number, at: number): boolean =>
    cut.some((cell) => cell.row === row && cell.at === at);
  const records = rows.map((row, at) => jsonRow(model, row, (position) => isCut(at, position)));
  const page = pageOf(records, limit, STORE_QUESTION_LIMITS.answerBytes);
  const shown = rows.slice(0, page.shown.length);
  const last = shown.at(-1);
  return {
    records: page.shown,
    cut: cutValues(model, shown, cut),
    ...((page.hasMore || hasMore) && last !== undefined && { nextAfter: idOf(last) }),
  };
}
