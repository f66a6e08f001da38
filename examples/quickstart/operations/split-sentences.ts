import { defineOperation } from 'millrace';
import { z } from 'zod';

export const splitSentences = defineOperation({
  name: 'split-sentences',
  description: 'Splits a text into its sentences.',
  reads: z.object({ text: z.string() }),
  sets: z.object({ sentences: z.array(z.string()) }),
  quick: true,
  run: ({ input }) => {
    const segments = [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(input.text)];
    const sentences = segments.map(({ segment }) => segment.replace(/\s+/g, ' ').trim());
    return { sentences: sentences.filter((sentence) => sentence !== '') };
  },
});
