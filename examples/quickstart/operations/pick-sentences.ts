import { defineOperation, permanent } from 'millrace';
import { z } from 'zod';

export const pickSentences = defineOperation({
  name: 'pick-sentences',
  description:
    'Makes a summary of the sentences with the highest scores, in the order of the text.',
  reads: z.object({ sentences: z.array(z.string()), scores: z.array(z.number()) }),
  sets: z.object({ summary: z.array(z.string()) }),
  options: z.object({ count: z.number().int().min(1).default(5) }),
  quick: true,
  run: ({ input: { sentences, scores }, options }) => {
    if (sentences.length !== scores.length) {
      throw permanent('there must be one score for each sentence', {
        sentences: sentences.length,
        scores: scores.length,
      });
    }
    const best = sentences
      .map((sentence, at) => ({ sentence, at, score: scores[at] ?? 0 }))
      .sort((a, b) => b.score - a.score || a.at - b.at)
      .slice(0, options.count);
    return { summary: best.sort((a, b) => a.at - b.at).map(({ sentence }) => sentence) };
  },
});
