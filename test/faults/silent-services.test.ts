import { describe, expect, it } from '@jest/globals';
import { post } from '../cli/fixtures.js';
import { useCli } from '../support/cli.js';
import { startOpenAIServer } from '../support/openai-server.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { useWebhookReceiver } from '../support/webhook-receiver.js';
import { percentile, tell } from './measurements.js';
import { keepAsking, PROJECT, runProject } from './running-project.js';

const dir = useTemporaryDirectory();
const start = useCli();
const receiver = useWebhookReceiver();

describe('a webhook receiver that never answers', () => {
  const SILENT = 30;

  it('is left after 20 seconds and tried again; other webhooks and runs do not wait for it', async () => {
    const { url } = await runProject(
      { dir, start },
      PROJECT,
      `webhooks: { allow: ['127.0.0.0/8'] }`,
    );
    const asked = (path: string): Promise<unknown> =>
      post(`${url}/pipelines/word-report?webhook_url=${encodeURIComponent(receiver.url(path))}`, {
        text: 'a',
      });
    for (let place = 0; place < SILENT; place += 1)
      receiver.answer(`/silent/${String(place)}`, { status: 200, silent: true });
    await Promise.all(
      Array.from({ length: SILENT }, (_, place) => asked(`/silent/${String(place)}`)),
    );
    await receiver.deliveries('/silent/0', 1);

    const began = Date.now();
    await asked('/prompt');
    const [prompt] = await receiver.deliveries('/prompt', 1);
    expect((prompt?.at ?? 0) - began).toBeLessThan(5_000);

    const waits: number[] = [];
    for (let place = 0; place < SILENT; place += 1) {
      const path = `/silent/${String(place)}`;
      const [first, second] = await receiver.deliveries(path, 2, 60_000);
      expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
      waits.push((second?.at ?? 0) - (first?.at ?? 0));
    }
    tell('receivers that never answer', {
      receivers: SILENT,
      'asked again after s (p50)': Math.round(percentile(waits, 50) / 1_000),
      's at most': Math.round(Math.max(...waits) / 1_000),
    });
    expect(Math.min(...waits)).toBeGreaterThan(20_000);
  });
});

describe('a language model that hangs', () => {
  it('ends with the operation`s timeout, in every attempt', async () => {
    const model = await startOpenAIServer();
    model.reply({ delayMs: 120_000 });
    try {
      const { url } = await runProject(
        { dir, start },
        {
          ...PROJECT,
          'config.yml': `models:
  slow:
    provider: openai-compatible
    model: test-model
    capabilities: [text]
    options: { base_url: '${model.url}', api_key: '\${TEST_KEY}' }
`,
          'pipelines/ask.yml': `name: ask
timeout: 1 minute
stages:
  - name: ask
    operations:
      - type: llm-call
        model: slow
        timeout: 2s
        retry: { maximum_attempts: 2, initial_interval: 100ms }
        options: { capability: text, prompt: 'Say {{word}}', inputs: [word], outputs: [answer] }
`,
        },
        '',
        { TEST_KEY: 'sk-test' },
      );
      const others = keepAsking(url);
      const began = performance.now();
      const { status, body } = await post(`${url}/pipelines/ask`, { word: 'hello' });
      const tookMs = performance.now() - began;
      await others.stop();
      tell('a model that hangs', { attempts: model.requests.length, ms: Math.round(tookMs) });
      expect(status).toBe(504);
      expect(body).toMatchObject({ type: 'timeout', operation: 'llm-call', stage: 'ask' });
      expect(model.requests).toHaveLength(2);
      expect(tookMs).toBeLessThan(15_000);
    } finally {
      await model.close();
    }
  });
});
