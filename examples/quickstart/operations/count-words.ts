import { defineOperation } from 'millrace';
import { z } from 'zod';

export const countWords = defineOperation({
  name: 'count-words',
  description: 'Counts the words of a text.',
  reads: z.object({ text: z.string() }),
  sets: z.object({ words: z.number().int() }),
  quick: true,
  run: ({ input }) => ({ words: input.text.match(/\S+/g)?.length ?? 0 }),
});
