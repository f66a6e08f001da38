import type { RunUsage } from '../../src/attribute-pipeline/run-catalog.js';
import { ModelAnswerInvalid } from '../../src/pipeline/built-in/model-answer-invalid.js';
import type { ModelReference, ModelUsage } from '../../src/pipeline/context.js';

/** What models have taken together, by model. */
export function usageOf(
  used: readonly ModelUsage[],
  costOf: (usage: ModelUsage) => number | null,
): readonly RunUsage[] {
  const byModel = new Map<string, RunUsage>();
  for (const usage of used) {
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

/** A model that has each of its answers noted, those that cannot be used as well: they have cost all the same. */
export function noted(model: ModelReference, note: (usage: ModelUsage) => void): ModelReference {
  const add = ({ inputTokens, outputTokens }: Omit<ModelUsage, 'model'>): void => {
    note({ model: model.name, inputTokens, outputTokens });
  };
  return {
    ...model,
    generate: async (request) => {
      try {
        const answer = await model.generate(request);
        add(answer);
        return answer;
      } catch (error) {
        if (error instanceof ModelAnswerInvalid) add(error.usage);
        throw error;
      }
    },
  };
}
