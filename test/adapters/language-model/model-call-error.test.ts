import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { isPermanent } from '../../../src/pipeline/permanent.js';
import { failureOf, KEY, modelAt } from '../../support/local-model.js';
import { startOpenAIServer, type OpenAIServer } from '../../support/openai-server.js';

let server: OpenAIServer;

beforeEach(async () => {
  server = await startOpenAIServer();
});

afterEach(() => server.close());

describe('a call that fails', () => {
  it.each([
    ['429', { status: 429, headers: { 'retry-after': '7' } }, { status: 429, retryAfterMs: 7_000 }],
    [
      '429 in milliseconds',
      { status: 429, headers: { 'retry-after-ms': '250' } },
      { status: 429, retryAfterMs: 250 },
    ],
    ['429 without a time', { status: 429 }, { status: 429, retryAfterMs: undefined }],
    ['500', { status: 500 }, { status: 500 }],
    [
      '503 for a year',
      { status: 503, headers: { 'retry-after': '31536000' } },
      { status: 503, retryAfterMs: 3_600_000 },
    ],
    ['an answer that is no JSON', { body: '<html>' }, { status: 200 }],
    ['an answer of another form', { body: '{"hello":1}' }, { status: 200 }],
  ])('may be tried again after %s', async (_what, reply, expected) => {
    server.reply({ says: 'busy', ...reply });

    const failure = await failureOf(modelAt(server));

    expect(failure).toMatchObject({
      name: 'ModelCallFailed',
      provider: 'openai',
      model: 'fast',
      retryable: true,
      ...expected,
    });
    expect(isPermanent(failure)).toBe(false);
    expect(server.requests).toHaveLength(1);
  });

  it('waits until the date that the provider names', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    server.reply({ status: 429, headers: { 'retry-after': date } });

    const { retryAfterMs } = z
      .object({ retryAfterMs: z.number() })
      .parse(await failureOf(modelAt(server)));

    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it.each([
    ['400', { status: 400 }],
    ['401', { status: 401 }],
    ['403', { status: 403 }],
    ['404', { status: 404 }],
    [
      '429 for want of credit',
      {
        status: 429,
        body: '{"error":{"message":"no credit","type":"insufficient_quota","code":"insufficient_quota"}}',
      },
    ],
  ])('is given up after %s', async (_what, reply) => {
    server.reply({ says: 'no', ...reply });

    const failure = await failureOf(modelAt(server));

    expect(isPermanent(failure)).toBe(true);
    expect(failure).toMatchObject({
      name: 'ModelCallRefused',
      type: 'ModelCallRefused',
      retryable: false,
      details: { provider: 'openai', model: 'fast', status: reply.status },
    });
  });

  it.each([400, 401, 500])(
    'never shows the key, whatever the provider says (%s)',
    async (status) => {
      const token = 'token-0123456789';
      server.reply({
        status,
        says: `Incorrect API key provided: ${KEY}, ${token}. ${'x'.repeat(1_000)}`,
      });

      const failure = await failureOf(
        modelAt(server, { options: { headers: { 'x-token': token } } }),
      );

      const shown = `${failure.message} ${failure.stack ?? ''} ${JSON.stringify(failure)} ${String(failure.cause)}`;
      expect(shown).not.toContain(KEY);
      expect(shown).not.toContain(token);
      expect(failure.message.length).toBeLessThan(500);
    },
  );

  it('may be tried again when nobody listens', async () => {
    await server.close();

    const failure = await failureOf(modelAt(server));

    expect(failure).toMatchObject({ name: 'ModelCallFailed' });
    expect(failure.message).toContain('cannot be reached');
  });

  it('may be tried again when the model is too slow', async () => {
    server.reply({ delayMs: 5_000 });

    const failure = await failureOf(modelAt(server, { options: { timeout: 50 } }));

    expect(failure).toMatchObject({ name: 'ModelCallFailed' });
    expect(failure.message).toContain(
      'did not answer within 50 ms (options.timeout in config.yml)',
    );
  });

  it('ends with the reason of its signal when that is aborted', async () => {
    server.reply({ delayMs: 5_000 });
    const abort = new AbortController();
    const reason = new Error('the run was cancelled');
    setTimeout(() => {
      abort.abort(reason);
    }, 50);

    expect(await failureOf(modelAt(server), { signal: abort.signal })).toBe(reason);
    expect(await failureOf(modelAt(server), { signal: abort.signal })).toBe(reason);
    expect(server.requests).toHaveLength(1);
  });
});
