import { defineOperation } from 'millrace';
import { z } from 'zod';

export const splitParagraphs = defineOperation({
  name: 'split-paragraphs',
  description: 'Splits a text where it has empty lines.',
  reads: z.object({ text: z.string() }),
  sets: z.object({ paragraphs: z.array(z.string()) }),
  quick: true,
  run: ({ input }) => ({ paragraphs: input.text.trim().split(/\n\s*\n/) }),
});
