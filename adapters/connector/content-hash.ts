import { createHash } from 'node:crypto';
import type { Row } from '../../src/data-flow/row.js';
import { canonicalJson } from '../../src/definition/json.js';
import { jsonText } from './json-text.js';

/**
 * SHA-256, in hex, of a row's canonical JSON: equal for rows of equal content, whatever the order of their properties. A bigint
 * counts as the text of its digits.
 */
export function contentHash(row: Row): string {
  return createHash('sha256').update(canonicalText(row)).digest('hex');
}

function canonicalText(row: Row): string {
  try {
    return canonicalJson(row);
  } catch (error) {
    // JSON has no bigint.
    if (error instanceof TypeError) return canonicalJson(JSON.parse(jsonText(row)));
    throw error;
  }
}
