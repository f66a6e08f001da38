import { jsonBytes } from '../definition/json.js';

/** As many of the first entries as have no more than so many bytes together, as JSON. */
export function fitting<T>(entries: readonly T[], bytes: number): readonly T[] {
  let left = bytes;
  const end = entries.findIndex((entry) => {
    left -= jsonBytes(entry);
    return left < 0;
  });
  return end === -1 ? entries : entries.slice(0, end);
}

/** A page of entries, and whether there are others behind it. */
export interface Page<T> {
  readonly shown: readonly T[];
  readonly hasMore: boolean;
}

/** The first entries, so many at most and of so many bytes as JSON; one in any case, so that who turns pages gets on. */
export function pageOf<T>(entries: readonly T[], limit: number, bytes: number): Page<T> {
  const wanted = entries.slice(0, limit);
  const count = Math.max(1, fitting(wanted, bytes).length);
  const shown = wanted.slice(0, count);
  return { shown, hasMore: shown.length < entries.length };
}
