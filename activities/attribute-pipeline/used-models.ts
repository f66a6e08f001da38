import type { RunUsage } from '../../src/attribute-pipeline/run-catalog.js';
import type { ModelUsage } from '../../src/pipeline/context.js';
import type { BatchEntity } from './module-batch.js';

/** What models have taken for entities, by model. */
export function usageOf(
  entities: readonly BatchEntity[],
  costOf: (usage: ModelUsage) => number | null,
): readonly RunUsage[] {
  const byModel = new Map<string, RunUsage>();
  for (const usage of entities.flatMap((entity) => entity.usage)) {
    const { model, inputTokens, outputTokens } = usage;
    const known = byModel.get(model);
    const cost = costOf(usage);
    byModel.set(model, {
      model,
      calls: (known?.calls ?? 0) + 1,
      tokensIn: (known?.tokensIn ?? 0) + inputTokens,
      tokensOut: (known?.tokensOut ?? 0) + outputTokens,
      cost: cost === null ? (known?.cost ?? null) : (known?.cost ?? 0) + cost,
    });
  }
  return [...byModel.values()];
}
