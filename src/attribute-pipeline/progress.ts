import type { JsonObject } from '../definition/json.js';
import type { AttributeProgress } from './plan.js';
import type { RunPosition } from './run-catalog.js';

/** How far a run is, from where it stands and what there was at its beginning. */
export function attributeProgress(
  { counts, seen, tokensIn, tokensOut, cost }: RunPosition,
  total: number,
  entitiesPerSecond: number,
): AttributeProgress {
  return {
    ...counts,
    // More may have come down for it since.
    total: Math.max(total, seen),
    tokensIn,
    tokensOut,
    cost,
    entitiesPerSecond: Math.round(entitiesPerSecond * 10) / 10,
  };
}

/** How far a run is, as heartbeats carry it and events tell it. */
export function attributeProgressData({
  processed,
  failed,
  skipped,
  unchanged,
  batches,
  total,
  tokensIn,
  tokensOut,
  cost,
  entitiesPerSecond,
}: AttributeProgress): JsonObject {
  const completed = processed + failed + skipped + unchanged;
  const left = Math.max(0, total - completed);
  return {
    completed,
    total,
    processed,
    failed,
    skipped,
    unchanged,
    batches,
    tokens_in: tokensIn,
    tokens_out: tokensOut,
    cost,
    entities_per_second: entitiesPerSecond,
    eta_seconds: entitiesPerSecond > 0 ? Math.round((left / entitiesPerSecond) * 10) / 10 : null,
  };
}
