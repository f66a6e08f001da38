import type { ModelUsage } from './context.js';

/** What a million tokens cost, in whatever currency all prices are in. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
}

/** What a use of a model has cost; null where the model has no price. */
export function costOf(price: ModelPrice | undefined, usage: ModelUsage): number | null {
  if (price === undefined) return null;
  return (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1_000_000;
}
