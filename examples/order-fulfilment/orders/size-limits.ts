import { permanent, type StepContext } from 'millrace';
import type { SizeLimits } from './order-size.js';

/**
 * The limits that a template gives to a step.
 *
 * @throws a permanent error where it gives none: a mistake that another attempt would repeat
 */
export function sizeLimits({ getConfig }: Pick<StepContext, 'getConfig'>): SizeLimits {
  const mediumFrom = getConfig<number>('medium_from_cents');
  const largeFrom = getConfig<number>('large_from_cents');
  if (mediumFrom === undefined || largeFrom === undefined)
    throw permanent('initialization must have medium_from_cents and large_from_cents');
  return { mediumFrom, largeFrom };
}
