import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { createModels } from '../../../../adapters/language-model/models.js';
import { modelConfigSchema } from '../../../../src/config/model-config.js';
import { describeType } from '../../../../src/contract/compatibility.js';
import type { JsonObject } from '../../../../src/definition/json.js';
import { llmCall } from '../../../../src/pipeline/built-in/llm-call.js';
import { LLM_LIMITS } from '../../../../src/pipeline/built-in/llm-options.js';
import type { ModelReference } from '../../../../src/pipeline/context.js';
import {
  startOpenAIServer,
  TOKENS,
  type OpenAIServer,
  type RecordedRequest,
} from '../../../support/openai-server.js';
import {
  compileOperation,
  operationRecord,
  problemsOf,
  runOperation,
} from '../../../support/run-operation.js';

let server: OpenAIServer;
let model: ModelReference;

beforeEach(async () => {
  server = await startOpenAIServer();
  model = modelOf({ structured_outputs: true });
});

afterEach(() => server.close());

function modelOf(
  options: JsonObject,
  capabilities: readonly string[] = ['text', 'json'],
): ModelReference {
  const config = modelConfigSchema.parse({
    provider: 'openai-compatible',
    model: 'test-model',
    capabilities,
    options: { base_url: server.url, ...options },
  });
  return createModels([['fast', config]], { resolve: (value) => Promise.resolve(value) }).get(
    'fast',
  )!;
}

function call(
  options: Readonly<Record<string, unknown>>,
  ...namespaces: JsonObject[]
): Promise<readonly JsonObject[]> {
  return runOperation(llmCall, { options, namespaces, model });
}

/** The text of the last message: the prompt. */
function promptOf({ body }: RecordedRequest): string {
  return z
    .object({ messages: z.array(z.object({ content: z.string() })) })
    .parse(body)
    .messages.at(-1)!.content;
}

describe('llm-call with a text answer', () => {
  const options = { prompt: 'Shorten: {{text}}', inputs: ['text'], outputs: 'summary' };

  it('takes an input that may be absent for null, and any other for needed', async () => {
    server.reply({ says: 'A text.' });
    const asking = {
      options: {
        prompt: '{{#title}}{{title}}: {{/title}}{{text}}',
        inputs: ['title', 'text'],
        outputs: 'summary',
      },
      input: { title: z.string().optional(), text: z.string() },
      model,
    };

    await runOperation(llmCall, { ...asking, namespaces: [{ text: 'a' }] });

    expect(server.requests.map(promptOf)).toEqual(['a']);
    await expect(
      runOperation(llmCall, { ...asking, namespaces: [{ title: 'T' }] }),
    ).rejects.toThrow("Property 'text' expected a value, got undefined");
  });

  it('suggests prompt_file for what is nearly called so', () => {
    expect(problemsOf(llmCall, { options: { ...options, prompt_fil: 'p.txt' }, model })).toEqual([
      expect.stringContaining('Did you mean "prompt_file"?'),
    ]);
  });

  it('fills the prompt in and sets the answer', async () => {
    server.reply({ says: '  A short text.\n' });
    const record = operationRecord();

    const left = await runOperation(llmCall, {
      options,
      namespaces: [{ text: 'A <long> "text" & more' }],
      model,
      record,
    });

    expect(left).toEqual([{ text: 'A <long> "text" & more', summary: 'A short text.' }]);
    expect(server.requests[0]?.body).toMatchObject({
      model: 'test-model',
      messages: [{ role: 'user', content: 'Shorten: A <long> "text" & more' }],
    });
    expect(server.requests[0]?.body).not.toHaveProperty('response_format');
    expect(record.usage).toEqual([{ model: 'fast', ...TOKENS }]);
  });

  it('sends the system message, the temperature and the longest length', async () => {
    await call(
      {
        ...options,
        system: 'Be {{tone}}.',
        inputs: { text: 'body', tone: 'style' },
        temperature: 0.2,
        max_output_tokens: 50,
      },
      {
        body: 'B',
        style: 'kind',
      },
    );

    expect(server.requests[0]?.body).toMatchObject({
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Shorten: B' },
      ],
      temperature: 0.2,
      max_tokens: 50,
    });
  });

  it('fills in sections, members and whole values', async () => {
    const prompt =
      '{{#tags}}- {{name}} of {{title}}\n{{/tags}}{{^none}}nothing{{/none}} {{author.name}} {{author}} {{{count}}}';
    const inputs = ['tags', 'title', 'none', 'author', 'count'];

    await call(
      { prompt, inputs, outputs: 'x' },
      {
        tags: [{ name: 'a' }, { name: 'b' }],
        title: 'T',
        none: null,
        author: { name: 'A' },
        count: { n: 3 },
      },
    );

    expect(promptOf(server.requests[0]!)).toBe(
      '- a of T\n- b of T\nnothing A {"name":"A"} {"n":3}',
    );
  });

  it('does not take the text of an input for a template', async () => {
    await call(options, { text: '{{text}} {{#x}}' });

    expect(promptOf(server.requests[0]!)).toBe('Shorten: {{text}} {{#x}}');
  });

  it('reads the prompt from a file of the project, whose text becomes part of the plan', () => {
    const use = {
      options: { prompt_file: 'prompts/short.md', inputs: ['text'], outputs: 'summary' },
      model,
    };

    const { pipeline } = compileOperation(llmCall, {
      ...use,
      files: { 'prompts/short.md': 'Shorten {{text}}' },
    });

    expect(pipeline?.plan.stages[0]?.operations[0]?.options).toMatchObject({
      prompt: 'Shorten {{text}}',
    });
    expect(problemsOf(llmCall, use)).toEqual([
      expect.stringContaining('there is no file "prompts/short.md"'),
    ]);
  });

  it('finds a wrong variable in the file', () => {
    const use = { options: { prompt_file: 'p.md', inputs: ['text'], outputs: 'summary' }, model };

    expect(problemsOf(llmCall, { ...use, files: { 'p.md': 'Shorten {{txt}}' } })).toEqual([
      expect.stringContaining(
        'it uses {{txt}}, which is not among the inputs. Did you mean "text"?',
      ),
    ]);
  });

  it('refuses an empty answer, an answer that was cut off and a prompt that is too long', async () => {
    server.reply({ says: ' \n' }, { says: 'A sho', finish: 'length' });

    await expect(call(options, { text: 'a' })).rejects.toMatchObject({
      name: 'ModelAnswerInvalid',
      reason: 'it is empty',
    });
    await expect(call(options, { text: 'a' })).rejects.toThrow(
      'cut off at its longest length (max_output_tokens)',
    );
    await expect(
      call(options, { text: 'a'.repeat(LLM_LIMITS.maxPromptCharacters) }),
    ).rejects.toMatchObject({
      type: 'PromptTooLong',
      message: expect.stringContaining('maxPromptCharacters'),
    });
    expect(server.requests).toHaveLength(2);
  });
});

describe('llm-call with a JSON answer', () => {
  const options = {
    prompt: 'Title and tags of {{text}}',
    inputs: ['text'],
    outputs: { title: 'string', tags: { type: 'array', items: { type: 'string' } } },
  };

  it('spreads the members into the outputs and asks for a schema made of their types', async () => {
    server.reply({ says: { title: 'T', tags: ['a', 'b'] } });

    expect(await call(options, { text: 'x' })).toEqual([
      { text: 'x', title: 'T', tags: ['a', 'b'] },
    ]);
    expect(server.requests[0]?.body['response_format']).toMatchObject({
      type: 'json_schema',
      json_schema: {
        schema: {
          type: 'object',
          properties: {
            title: { type: 'string' },
            tags: { type: 'array', items: { type: 'string' } },
          },
          required: ['title', 'tags'],
          additionalProperties: false,
        },
      },
    });
  });

  it('takes the types from a schema, and leaves out members that are no outputs', async () => {
    const schema = {
      type: 'object',
      properties: { score: { type: 'number', minimum: 0 }, reason: { type: 'string' } },
      required: ['score'],
    };
    server.reply({ says: { score: 0.5, reason: 'because' } });
    const use = { options: { prompt: 'Score it', outputs: ['score'], schema }, model };

    expect(await runOperation(llmCall, { ...use, namespaces: [{}] })).toEqual([{ score: 0.5 }]);
    expect(describeType(compileOperation(llmCall, use).pipeline!.output['score']!)).toBe('number');
  });

  it('puts the whole answer into one output that is named alone', async () => {
    server.reply({ says: [1, { a: null }] });

    expect(await call({ prompt: 'List', outputs: 'list', json: true }, {})).toEqual([
      { list: [1, { a: null }] },
    ]);
  });

  it('understands JSON in a Markdown code block', async () => {
    server.reply({ says: '```json\n{"title":"T","tags":[]}\n```\n' });

    expect(await call(options, { text: 'x' })).toEqual([{ text: 'x', title: 'T', tags: [] }]);
  });

  it.each([
    ['no JSON', 'Sure! Here it is', 'it is no JSON: "Sure! Here it is"'],
    [
      'another type',
      { title: 'T', tags: 'a' },
      'it does not satisfy the schema: tags must be array',
    ],
    ['an output missing', { tags: [] }, "must have required property 'title'"],
    [
      'a member too many',
      { title: 'T', tags: [], mood: 1 },
      'must NOT have additional properties ("mood")',
    ],
  ])('refuses %s, and may be retried', async (_what, says, message) => {
    server.reply({ says });
    const record = operationRecord();

    const running = runOperation(llmCall, { options, namespaces: [{ text: 'x' }], model, record });

    await expect(running).rejects.toMatchObject({
      name: 'ModelAnswerInvalid',
      message: expect.stringContaining(message),
    });
    expect(record.usage).toEqual([{ model: 'fast', ...TOKENS }]);
  });

  it('needs a model that can answer with JSON', () => {
    model = modelOf({}, ['text']);

    expect(problemsOf(llmCall, { options, model })).toEqual([
      expect.stringContaining('lacks the capability "json"'),
    ]);
    expect(problemsOf(llmCall, { options: { ...options, outputs: 'title' }, model })).toEqual([]);
  });
});

describe('llm-call on several namespaces', () => {
  const options = { prompt: 'n={{n}}', inputs: ['n'], outputs: { double: 'number' }, parallel: 3 };
  const namespaces = Array.from({ length: 8 }, (_, n) => ({ n }));
  const numberIn = (request: RecordedRequest): number => Number(promptOf(request).slice(2));

  it('asks for each, some at once, and tells how far it is', async () => {
    server.reply((request) => ({ says: { double: numberIn(request) * 2 }, delayMs: 20 }));
    const record = operationRecord();

    const left = await runOperation(llmCall, { options, namespaces, model, record });

    expect(left).toEqual(namespaces.map(({ n }) => ({ n, double: n * 2 })));
    expect(server.peak()).toBe(3);
    expect(record.heartbeats.at(-1)?.progress).toEqual({ completed: 8, total: 8 });
  });

  it('pays again only for what could not be used', async () => {
    const record = operationRecord();
    server.reply((request) => ({
      says: numberIn(request) === 2 ? 'hm' : { double: numberIn(request) * 2 },
    }));
    await expect(
      runOperation(llmCall, { options, namespaces, model, record }),
    ).rejects.toMatchObject({
      name: 'ModelAnswerInvalid',
    });
    const { checkpoint } = record.heartbeats.at(-1)!;
    const again = operationRecord();
    const asked = server.requests.length;
    server.reply((request) => ({ says: { double: numberIn(request) * 2 } }));

    const left = await runOperation(llmCall, {
      options,
      namespaces,
      model,
      record: again,
      ...(checkpoint !== undefined && { checkpoint }),
    });

    expect(asked).toBe(8);
    expect(server.requests.slice(asked).map(numberIn)).toEqual([2]);
    expect(left).toEqual(namespaces.map(({ n }) => ({ n, double: n * 2 })));
    expect(again.usage).toEqual([
      { model: 'fast', inputTokens: 8 * TOKENS.inputTokens, outputTokens: 8 * TOKENS.outputTokens },
      { model: 'fast', ...TOKENS },
    ]);
  });

  it('stops asking when the provider refuses', async () => {
    server.reply({ status: 401, says: 'wrong key' });

    await expect(call(options, ...namespaces)).rejects.toMatchObject({
      type: 'ModelCallRefused',
      status: 401,
    });
    expect(server.requests.length).toBeLessThanOrEqual(3);
  });

  it('takes a strange checkpoint for none', async () => {
    server.reply((request) => ({ says: { double: numberIn(request) } }));

    const left = await runOperation(llmCall, {
      options,
      namespaces: [{ n: 1 }],
      model,
      checkpoint: { answers: [['x', 1], 7], spent: 'all' },
    });

    expect(left).toEqual([{ n: 1, double: 1 }]);
  });
});
