import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, failureOf, KEY, modelAt, onlyModel } from '../../support/local-model.js';
import { startOpenAIServer, TOKENS, type OpenAIServer } from '../../support/openai-server.js';

const SCHEMA = {
  type: 'object',
  properties: { a: { type: 'integer' } },
  required: ['a'],
  additionalProperties: false,
};

let server: OpenAIServer;

beforeEach(async () => {
  server = await startOpenAIServer();
});

afterEach(() => server.close());

describe('other wire formats', () => {
  it("speaks OpenAI's own API", async () => {
    server.reply({ says: { a: 1 } });
    const toServer: typeof fetch = (url, init) => {
      const target = typeof url === 'string' ? url : url instanceof URL ? url.href : url.url;
      return fetch(target.replace('https://api.openai.com/v1', server.url), init);
    };
    const config = { provider: 'openai', model: 'test-model', options: { api_key: KEY } };
    const own = onlyModel(config, { fetch: toServer });

    expect(await ask(own, { schema: SCHEMA })).toEqual({ output: { a: 1 }, ...TOKENS });
    expect(server.requests[0]).toMatchObject({
      path: '/v1/responses',
      headers: { authorization: `Bearer ${KEY}` },
      body: { text: { format: { type: 'json_schema', schema: SCHEMA, strict: false } } },
    });
  });

  it("speaks Anthropic's", async () => {
    server.reply({ says: 'hello' });

    expect(await ask(modelAt(server, { provider: 'anthropic' }), { system: 'Be kind.' })).toEqual({
      output: 'hello',
      ...TOKENS,
    });
    expect(server.requests[0]).toMatchObject({
      path: '/v1/messages',
      headers: { 'x-api-key': KEY },
      body: { model: 'test-model', system: [{ type: 'text', text: 'Be kind.' }] },
    });
  });

  it("speaks Google's", async () => {
    server.reply({ says: { a: 1 } });

    expect(await ask(modelAt(server, { provider: 'google' }), { schema: SCHEMA })).toEqual({
      output: { a: 1 },
      ...TOKENS,
    });
    expect(server.requests[0]).toMatchObject({
      path: '/v1/models/test-model:generateContent',
      headers: { 'x-goog-api-key': KEY },
      body: { generationConfig: { responseMimeType: 'application/json' } },
    });
  });

  it.each(['anthropic', 'google'])('translates the failures of %s', async (provider) => {
    server.reply({ status: 429, headers: { 'retry-after': '2' } }, { status: 401 });
    const asked = modelAt(server, { provider });

    expect(await failureOf(asked)).toMatchObject({
      name: 'ModelCallFailed',
      provider,
      status: 429,
      retryAfterMs: 2_000,
    });
    expect(await failureOf(asked)).toMatchObject({
      name: 'ModelCallRefused',
      provider,
      status: 401,
    });
  });

  it('says where a key is missing', async () => {
    const kept = process.env['ANTHROPIC_API_KEY'];
    delete process.env['ANTHROPIC_API_KEY'];
    try {
      const keyless = onlyModel({
        provider: 'anthropic',
        model: 'm',
        options: { base_url: server.url },
      });
      expect((await failureOf(keyless)).message).toContain(
        'Model "fast" has no key. Set options.api_key in config.yml.',
      );
    } finally {
      if (kept !== undefined) process.env['ANTHROPIC_API_KEY'] = kept;
    }
  });

  it('tells once what a provider does not support', async () => {
    const warnings: string[] = [];
    const asked = modelAt(server, {
      provider: 'anthropic',
      deps: { warn: (message) => warnings.push(message) },
    });

    await ask(asked, { temperature: 1.8, maxOutputTokens: 9 });
    await ask(asked, { temperature: 1.8, maxOutputTokens: 9 });

    expect(warnings).toEqual([expect.stringMatching(/^model "fast": temperature: /)]);
  });
});
