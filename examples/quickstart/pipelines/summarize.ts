import { definePipeline } from 'millrace';
import { z } from 'zod';
import { pickSentences } from '../operations/pick-sentences.js';
import { scoreSentences } from '../operations/score-sentences.js';
import { splitSentences } from '../operations/split-sentences.js';

const EXAMPLE =
  'The river turns the wheel. The wheel turns the mill. Nobody knows who built it. The miller sleeps.';

export const summarize = definePipeline({
  name: 'summarize',
  description: 'The sentences of a text that say most of what it is about.',
  timeout: '5 minutes',
  input: z.object({
    text: z
      .string()
      .min(1)
      .meta({ examples: [EXAMPLE] }),
  }),
  output: z.object({ summary: z.array(z.string()) }),
  stages: [
    { name: 'split', operations: [splitSentences] },
    { name: 'score', operations: [{ type: scoreSentences, options: { pauseMs: 40 } }] },
    { name: 'pick', operations: [{ type: pickSentences, options: { count: 3 } }] },
  ],
});
