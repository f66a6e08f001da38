import { setTimeout as pause } from 'node:timers/promises';
import { defineOperation } from 'millrace';
import { z } from 'zod';

/** Words that say nothing about what a text is about. */
const STOP_WORDS = new Set(
  (
    'a all an and any are as at be been but by can for from have he her his if in into it its may no nor not of on ' +
    'or our shall she so such than that the their them then there they this those to two under upon us was we were ' +
    'when which who will with you your'
  ).split(' '),
);

const scored = z.array(z.number());

/**
 * How much of what the text is about each sentence carries: the mean frequency of its words. Not `quick`, so it is an
 * activity of its own. It tells how far it is, and keeps what it has with each heartbeat: killed half-way, it goes on there.
 */
export const scoreSentences = defineOperation({
  name: 'score-sentences',
  description: 'Scores each sentence by how often its words occur.',
  reads: z.object({ sentences: z.array(z.string()) }),
  sets: z.object({ scores: z.array(z.number()) }),
  options: z.object({
    /** Slow on purpose: time to watch it, and to kill it. */
    pauseMs: z.number().int().min(0).default(0),
  }),
  run: async ({ input: { sentences }, options, checkpoint, heartbeat, log, signal }) => {
    const frequencies = wordFrequencies(sentences);
    const scores = scored.parse(checkpoint ?? []);
    if (scores.length > 0) log.info({ done: scores.length }, 'going on from the checkpoint');
    for (const sentence of sentences.slice(scores.length)) {
      if (options.pauseMs > 0) await pause(options.pauseMs, undefined, { signal });
      signal.throwIfAborted();
      scores.push(scoreOf(sentence, frequencies));
      heartbeat({ completed: scores.length, total: sentences.length }, scores);
    }
    return { scores };
  },
});

function wordFrequencies(sentences: readonly string[]): ReadonlyMap<string, number> {
  const frequencies = new Map<string, number>();
  for (const word of sentences.flatMap(wordsOf))
    frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  return frequencies;
}

function scoreOf(sentence: string, frequencies: ReadonlyMap<string, number>): number {
  const words = wordsOf(sentence);
  const sum = words.reduce((total, word) => total + (frequencies.get(word) ?? 0), 0);
  return words.length === 0 ? 0 : Math.round((100 * sum) / words.length) / 100;
}

function wordsOf(sentence: string): readonly string[] {
  return (sentence.toLowerCase().match(/\p{L}+/gu) ?? []).filter((word) => !STOP_WORDS.has(word));
}
