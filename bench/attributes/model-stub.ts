import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { PROMPT } from './task.js';

const ANSWER = JSON.stringify({
  id: 'stub',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'stub',
  choices: [
    {
      index: 0,
      finish_reason: 'stop',
      message: {
        role: 'assistant',
        content: JSON.stringify({ value: 7, justification: 'It is one.', confidence: 0.9 }),
      },
    },
  ],
  usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
});

/** A server that speaks OpenAI's wire format, and takes {@link PROMPT}'s time for each answer. */
export async function startModelStub(): Promise<{
  readonly url: string;
  readonly stop: () => Promise<void>;
}> {
  const server = createServer((request, response) => {
    const answered = delay(PROMPT.waitMs);
    request.resume();
    request.once('end', () => {
      void answered.then(() => {
        response.setHeader('content-type', 'application/json');
        response.end(ANSWER);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/v1`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
