/** A promise pool by hand: as many calls at once, by plain `fetch`, and nothing done with the answers. */
import pLimit from 'p-limit';
import { answerParent } from '../measured-process.js';
import { PROMPT, type AttributeResult, type AttributeTask } from './task.js';

const SYSTEM =
  'Answer with JSON that satisfies this JSON Schema, and with nothing else: an integer "value", a "justification", and a "confidence" from 0 to 1.';

await answerParent(async ({ entities, model }: AttributeTask): Promise<AttributeResult> => {
  const limit = pLimit(PROMPT.concurrency);
  const ask = async (number: number): Promise<void> => {
    const response = await fetch(`${model}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'stub',
        temperature: 0,
        messages: [
          { role: 'system', content: SYSTEM },
          { role: 'user', content: `What is its area?\n\nwidth: ${String(number)}\nheight: 3` },
        ],
      }),
    });
    await response.json();
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: entities }, (_, at) => limit(() => ask(at))));
  return { entities, coldMs: performance.now() - startedAt };
});
