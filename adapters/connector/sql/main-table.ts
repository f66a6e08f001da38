/** What has a FROM of its own, and reads from no table. */
const OTHER_FROM =
  /\b(?:extract|substring|trim|overlay)\s*\([^()]*\)|\bis\s+(?:not\s+)?distinct\s+from\b/gi;

/** Comments, and texts in quotes. */
const UNREAD = /--[^\n]*|\/\*[^]*?\*\/|'(?:[^']|'')*'/g;

const NAME = /(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[\p{L}_][\p{L}\p{N}_$]*)/u.source;

const FROM = new RegExp(String.raw`\bfrom\s+(?:only\s+)?(${NAME}(?:\s*\.\s*${NAME})*)`, 'iu');

/**
 * The table that a query reads first, in small letters and without quotes; undefined where it names none. This is no parser: it is
 * the same for two queries that differ in what they choose and compute, which is what it is asked for.
 */
export function mainTable(query: string): string | undefined {
  const text = query.replace(UNREAD, ' ').replace(OTHER_FROM, ' ');
  const name = FROM.exec(text)?.[1];
  return name === undefined ? undefined : plainName(name);
}

/** A table's name however it is written. */
export function plainName(name: string): string {
  return name.replace(/["`[\]\s]/g, '').toLowerCase();
}
