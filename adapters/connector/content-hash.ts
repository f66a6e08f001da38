import { createHash } from 'node:crypto';
import type { Row } from '../../src/data-flow/row.js';
import { canonicalJson } from '../../src/definition/json.js';

/** SHA-256, in hex, of a row's canonical JSON: equal for rows of equal content, whatever the order of their properties. */
export function contentHash(row: Row): string {
  return createHash('sha256')
    .update(canonicalJson(withoutBigints(row)))
    .digest('hex');
}

/** JSON has no bigint; one counts as the text of its digits. */
function withoutBigints(row: Row): Row {
  if (!Object.values(row).some((value) => typeof value === 'bigint')) return row;
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? value.toString() : value,
    ]),
  );
}
