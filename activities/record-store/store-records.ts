import { diffPage } from '../../adapters/record-store/reading/diff-page.js';
import { recordPage } from '../../adapters/record-store/reading/record-page.js';
import { suggestion } from '../../src/definition/suggestion.js';
import { permanent } from '../../src/pipeline/permanent.js';
import {
  STORE_QUESTION_FAILURES,
  type DiffAnswer,
  type RecordPage,
  type RecordsQuestion,
  type StoreQuestion,
} from '../../src/record-pipeline/store-question.js';
import type { Asked } from './answer-question.js';

/** Records of one type, current ones or those of a version. @throws {@link ContractViolation}, {@link NoSuchVersion} */
export async function recordsOf(
  asked: Asked,
  { record, version, where, after, limit }: RecordsQuestion,
): Promise<RecordPage> {
  const { models } = asked.store;
  const model = models.get(record);
  if (model === undefined)
    throw permanent(
      `The store has no record type "${record}".${suggestion(record, [...models.keys()])}`,
      undefined,
      STORE_QUESTION_FAILURES.typeNotFound,
    );
  return recordPage({ file: fileOf(asked, version), model, where, after, limit }, asked.signal);
}

/** What two versions differ in, or a version and what there is now. @throws {@link NoSuchVersion} */
export async function diffOf(
  asked: Asked,
  { before, after, limit }: Extract<StoreQuestion, { readonly kind: 'diff' }>,
): Promise<DiffAnswer> {
  const files = { before: fileOf(asked, before), after: fileOf(asked, after) };
  return diffPage({ ...files, models: asked.store.models, limit }, asked.signal);
}

function fileOf({ store }: Asked, version: string | undefined): string {
  if (version !== undefined) return store.find(version).file;
  // Made where it is missing.
  store.open();
  return store.file;
}
