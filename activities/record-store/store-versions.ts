import { pageOf } from '../../src/record-pipeline/fitting.js';
import {
  STORE_QUESTION_LIMITS,
  type RestoreAnswer,
  type StoreQuestion,
  type VersionPage,
} from '../../src/record-pipeline/store-question.js';
import type { VersionInfo } from '../../src/record-store/store.js';
import type { Asked } from './answer-question.js';

/** Versions, newest first. */
export function versionsOf(
  { store }: Asked,
  { limit, before }: Extract<StoreQuestion, { readonly kind: 'versions' }>,
): VersionPage {
  // Their ids sort by time.
  const found = store.files.list().filter(({ id }) => before === undefined || id < before);
  const { shown, hasMore } = pageOf(found.reverse(), limit, STORE_QUESTION_LIMITS.answerBytes);
  const last = shown.at(-1);
  return { versions: shown, ...(hasMore && last !== undefined && { nextBefore: last.id }) };
}

/** @throws {@link NoSuchVersion} */
export function versionOf({ store }: Asked, version: string): VersionInfo {
  return store.find(version);
}

/** Makes a version of what there is now. @throws {@link StoreUnusable} */
export async function snapshotOf({ store }: Asked): Promise<VersionInfo> {
  return store.find(await store.snapshot('asked').done);
}

/** @throws {@link NoSuchVersion}, {@link StoreBusy} while a run works on the store, {@link StoreUnusable} */
export async function restored({ store }: Asked, version: string): Promise<RestoreAnswer> {
  const info = store.find(version);
  const replaced = await store.restore(version);
  return { restored: info, replaced };
}
