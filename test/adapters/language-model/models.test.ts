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

describe('a model at an OpenAI-compatible server', () => {
  it('answers over chat completions and tells its tokens', async () => {
    server.reply({ says: 'hello' });

    expect(
      await ask(modelAt(server), { system: 'Be kind.', temperature: 0, maxOutputTokens: 9 }),
    ).toEqual({
      output: 'hello',
      ...TOKENS,
    });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: `Bearer ${KEY}` },
      body: {
        model: 'test-model',
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hi' },
        ],
        temperature: 0,
        max_tokens: 9,
      },
    });
  });

  it('sends no key where none is configured, not even that of the environment', async () => {
    process.env['OPENAI_API_KEY'] = KEY;
    try {
      await ask(onlyModel({ provider: 'openai', model: 'm', options: { base_url: server.url } }));
    } finally {
      delete process.env['OPENAI_API_KEY'];
    }

    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('uses the options of config.yml where a request says nothing', async () => {
    const options = { temperature: 0.7, max_output_tokens: 100, headers: { 'x-team': 'a' } };

    await ask(modelAt(server, { options }), { temperature: 0.1 });

    expect(server.requests[0]).toMatchObject({
      headers: { 'x-team': 'a' },
      body: { temperature: 0.1, max_tokens: 100 },
    });
  });

  it('puts the schema into the system message, and checks the answer itself', async () => {
    server.reply({ says: { a: 1 } }, { says: { a: 1.5 } });

    expect((await ask(modelAt(server), { system: 'Be kind.', schema: SCHEMA })).output).toEqual({
      a: 1,
    });
    const failure = await failureOf(modelAt(server), { schema: SCHEMA });

    const { messages, response_format: format } = server.requests[0]!.body;
    expect(messages).toMatchObject([
      { role: 'system', content: expect.stringContaining(`Be kind.\n\nAnswer with JSON`) },
      { role: 'user', content: 'Hi' },
    ]);
    expect(JSON.stringify(messages)).toContain('additionalProperties');
    expect(format).toEqual({ type: 'json_object' });
    expect(failure).toMatchObject({ name: 'ModelAnswerInvalid', usage: TOKENS });
    expect(failure.message).toContain('a must be integer');
  });

  it('sends the schema as such where the server takes it, strictly only if told so', async () => {
    server.reply({ says: { a: 1 } });

    await ask(modelAt(server, { options: { structured_outputs: true } }), { schema: SCHEMA });
    await ask(
      modelAt(server, { options: { structured_outputs: true, strict_json_schema: true } }),
      {
        schema: SCHEMA,
      },
    );

    expect(server.requests[0]?.body).toMatchObject({
      messages: [{ role: 'user' }],
      response_format: { type: 'json_schema', json_schema: { schema: SCHEMA, strict: false } },
    });
    expect(server.requests[1]?.body).toMatchObject({
      response_format: { json_schema: { strict: true } },
    });
  });

  it('asks for JSON without a schema', async () => {
    server.reply({ says: [1, 2] });

    expect((await ask(modelAt(server), { json: true })).output).toEqual([1, 2]);
    expect(server.requests[0]?.body).toMatchObject({
      messages: [{ role: 'system', content: 'Answer with JSON and nothing else.' }, {}],
      response_format: { type: 'json_object' },
    });
  });

  it('refuses a schema that is none before it asks', async () => {
    const failure = await failureOf(modelAt(server), { schema: { type: 'thing' } });

    expect(failure).toMatchObject({ name: 'ModelCallRefused' });
    expect(server.requests).toHaveLength(0);
  });

  it('stops where a content filter did', async () => {
    server.reply({ says: '', finish: 'content_filter' });

    expect(await failureOf(modelAt(server))).toMatchObject({
      name: 'ModelCallRefused',
      retryable: false,
    });
  });
});

describe('references in a configuration', () => {
  it('are resolved at the first call, once', async () => {
    const asked: string[] = [];
    const resolve = (value: string): Promise<string> => {
      asked.push(value);
      return Promise.resolve(value.replace('${BASE}', server.url).replace('secret://key', KEY));
    };
    const options = {
      api_key: 'secret://key',
      base_url: '${BASE}',
      headers: { 'x-key': 'secret://key' },
    };
    const lazy = modelAt(server, { options, deps: { resolve } });
    expect(asked).toEqual([]);

    await ask(lazy);
    await ask(lazy);

    expect(asked.toSorted()).toEqual(['${BASE}', 'secret://key', 'secret://key']);
    expect(server.requests[1]?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'x-key': KEY,
    });
  });

  it('are tried again after they could not be resolved', async () => {
    let reachable = false;
    const resolve = (value: string): Promise<string> =>
      reachable ? Promise.resolve(value) : Promise.reject(new Error('no secret store'));
    const asked = modelAt(server, { deps: { resolve } });

    expect((await failureOf(asked)).message).toBe('no secret store');
    reachable = true;

    expect((await ask(asked)).output).toBe('hello');
  });

  it.each([
    ['is no URL', 'is no URL'],
    ['http://user:pass-word@127.0.0.1/v1', 'holds a user name'],
  ])('may not give the base URL %s', async (resolved, message) => {
    const resolve = (value: string): Promise<string> =>
      Promise.resolve(value === '${BASE}' ? resolved : value);

    const failure = await failureOf(
      modelAt(server, { options: { base_url: '${BASE}' }, deps: { resolve } }),
    );

    expect(failure).toMatchObject({ name: 'ModelCallRefused' });
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain('pass-word');
  });
});
