import { departureOf } from '../departure.js';
import { decideWait, parsePrefer } from '../prefer.js';
import { resultWithin } from '../waiting.js';
import type { AttributeRequest } from './attribute-request.js';

/**
 * Waits for a result as long as the client wants to (`Prefer: wait=10`): not at all unless it says so. Undefined where it was not
 * there in time.
 *
 * @throws what the result throws
 */
export async function resultInTime<T>(
  { ctx, api }: Pick<AttributeRequest, 'ctx' | 'api'>,
  result: (wait: { readonly signal: AbortSignal }) => Promise<T>,
): Promise<T | undefined> {
  const preferred = parsePrefer(ctx.get('Prefer'));
  if (preferred.waitS === undefined) return undefined;
  const { waitMs, applied } = decideWait(preferred, api.settings.maxWaitMs);
  if (applied !== undefined) ctx.set('Preference-Applied', applied);
  return resultWithin(result, waitMs, [departureOf(ctx), api.stop]);
}
