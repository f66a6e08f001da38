import type { RunSpending } from '../../src/attribute-pipeline/run-catalog.js';

/** Entities that are tried first under a budget, when nobody knows what one costs. */
const PROBED = 1;

/**
 * How many entities a budget allows.
 *
 * @param making - entities that are in the making, whose cost is not known yet
 */
export function affordableEntities({ left, averageCost }: RunSpending, making: number): number {
  if (left === undefined) return Infinity;
  if (left.rest <= 0) return 0;
  if (averageCost === null) return making === 0 ? PROBED : 0;
  if (averageCost === 0) return Infinity;
  const affordable = Math.floor(left.rest / averageCost) - making;
  // Less than one is left: the last one may cost a little more than that.
  return affordable < 1 && making === 0 ? 1 : affordable;
}
