import type { Written } from '../../src/data-flow/row.js';

/** What a sink tells that has no keys. */
export function unpredictable(rows: number): Written {
  return { new: 0, updated: 0, redundant: 0, unpredictable: rows };
}
