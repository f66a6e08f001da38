import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pLimit from 'p-limit';
import { computeValues, batchEntity } from '../../../activities/attribute-pipeline/module-batch.js';
import type { Attribute } from '../../../src/attribute-pipeline/attribute.js';
import { aiPrompt } from '../../../src/attribute-pipeline/modules/ai-prompt.js';
import type { Json, JsonObject } from '../../../src/definition/json.js';
import { NO_SERVICES } from '../../../src/pipeline/context.js';
import { modelAt } from '../../support/local-model.js';
import { startOpenAIServer, TOKENS, type OpenAIServer } from '../../support/openai-server.js';

const { inputTokens, outputTokens } = TOKENS;
const USAGE = { model: 'fast', inputTokens, outputTokens };

/** What a good answer says. */
function says(value: Json, about: JsonObject = {}): { readonly says: JsonObject } {
  return { says: { value, justification: 'It is.', confidence: 0.9, ...about } };
}

describe('ai_prompt', () => {
  let server: OpenAIServer;
  beforeEach(async () => {
    server = await startOpenAIServer();
  });
  afterEach(() => server.close());

  /** Has the model compute a value for each of some inputs. */
  async function compute(
    settings: JsonObject,
    inputs: readonly JsonObject[] = [{ name: 'Ada' }],
    attribute: Partial<Attribute> = {},
    signal = new AbortController().signal,
  ) {
    const nothing = (): void => undefined;
    const parsed = aiPrompt.definition.settings.parse({
      model: 'fast',
      prompt: 'Where from?',
      ...settings,
    }) as JsonObject;
    const model = modelAt(server);
    const entities = inputs.map((given, at) => ({
      ...batchEntity(`e${String(at)}`, null),
      inputs: given,
    }));
    const limits = new Map<number, ReturnType<typeof pLimit>>();
    return computeValues([{ definition: aiPrompt.definition, settings: parsed }], entities, {
      attribute: {
        id: 'a',
        name: 'origin',
        label: null,
        dataType: 'json',
        allowedValues: null,
        ...attribute,
      },
      pipelineVersion: 1,
      signal,
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      run: {
        id: 'attribute_pipeline/person.origin/1',
        name: 'person.origin',
        kind: 'attribute_pipeline',
      },
      services: NO_SERVICES,
      model: () => model,
      sandbox: { run: none, check: none, close: none },
      limit: (concurrency) => {
        const limit = limits.get(concurrency) ?? pLimit(concurrency);
        limits.set(concurrency, limit);
        return (work) => limit(work);
      },
      sleep: (ms) => delay(ms, undefined, { signal }),
      labelOf: (name) => (name === 'name' ? 'Full name' : name),
    });
  }

  it('sends the prompt with the inputs as lines, at temperature 0, and takes value, confidence and reason', async () => {
    server.reply(says('England'));
    const [entity] = await compute({ system: 'You know history.' }, [
      { name: 'Ada', born: 1815, works: ['notes'], died: null },
    ]);
    expect(entity).toMatchObject({
      value: 'England',
      confidence: 0.9,
      justification: 'It is.',
      meta: { model: 'fast' },
      usage: [USAGE],
      warnings: [],
    });
    const [request] = server.requests;
    expect(request?.body).toMatchObject({ temperature: 0 });
    const text = JSON.stringify(request?.body);
    expect(text).toContain(
      'Where from?\\n\\nFull name: Ada\\nborn: 1815\\nworks: [\\"notes\\"]\\ndied: (none)',
    );
    expect(text).toContain('You know history.');
    expect(text).toContain('justification');
  });

  it.each([
    ['text', {}, 'one', 1],
    ['integer', {}, 3, 3.5],
    ['number', {}, 3.5, 'three'],
    ['boolean', {}, true, 'yes'],
    ['array', {}, ['a'], 'a'],
    ['array', { schema: { type: 'integer' } }, [1, 2], ['a']],
    ['object', { schema: { type: 'object', required: ['x'] } }, { x: 1 }, { y: 1 }],
  ])('takes a value of template %s %j, and no other', async (template, more, good, bad) => {
    server.reply(says(good));
    expect(await compute({ template, ...more })).toMatchObject([{ value: good }]);
    server.reply(says(bad));
    const [entity] = await compute({ template, attempts: 2, ...more });
    expect(entity?.end).toMatchObject({
      kind: 'failed',
      module: 'ai_prompt',
      message: expect.stringMatching(/does not satisfy the schema: value/),
    });
    // Two attempts, both paid.
    expect(entity?.usage).toEqual([USAGE, USAGE]);
  });

  it('asks again when the answer is none, and goes on when it is one', async () => {
    server.reply({ says: 'England, I think' }, { says: { value: 'England' } }, says('England'));
    const [entity] = await compute({});
    expect(entity).toMatchObject({ value: 'England', usage: [USAGE, USAGE, USAGE] });
    expect(entity?.end).toBeUndefined();
  });

  it('holds the model to the values that a selection has', async () => {
    server.reply(says('Atlantis'), says('England'));
    const [entity] = await compute({}, undefined, {
      dataType: 'select',
      allowedValues: ['England', 'France'],
    });
    expect(entity).toMatchObject({ value: 'England', usage: [USAGE, USAGE] });
    expect(JSON.stringify(server.requests[0]?.body)).toContain('France');
  });

  it('warns of what an answer of a form of its own leaves out', async () => {
    const schema = {
      type: 'object',
      properties: { value: { type: 'string' }, confidence: {}, source: { type: 'string' } },
      required: ['value'],
    };
    server.reply({ says: { value: 'England', source: 'a book' } });
    expect(await compute({ template: 'custom', schema })).toMatchObject([
      {
        value: 'England',
        confidence: null,
        justification: null,
        meta: { source: 'a book', model: 'fast' },
        warnings: ['The model leaves out "confidence", which its schema offers.'],
      },
    ]);
  });

  it('waits as long as the provider asks it to, all calls together, and pays once', async () => {
    server.reply(
      { status: 429, headers: { 'retry-after': '1' }, body: '{"error":{"message":"slow down"}}' },
      says('England'),
    );
    const startedAt = performance.now();
    const entities = await compute({ concurrency: 1 }, [{ name: 'Ada' }, { name: 'Alan' }]);
    expect(performance.now() - startedAt).toBeGreaterThan(950);
    expect(entities).toMatchObject([{ usage: [USAGE] }, { usage: [USAGE] }]);
    expect(server.requests).toHaveLength(3);
  });

  it('makes no more calls when the key is refused, and says why for each entity', async () => {
    server.reply({ status: 401, body: '{"error":{"message":"no"}}' });
    const entities = await compute(
      { concurrency: 1 },
      Array.from({ length: 20 }, () => ({ name: 'Ada' })),
    );
    expect(server.requests).toHaveLength(1);
    for (const { end } of entities)
      expect(end).toMatchObject({ message: expect.stringContaining('refuses the key') });
  });

  it('keeps what other entities have got when one fails', async () => {
    server.reply(({ body }) =>
      JSON.stringify(body).includes('Ada') ? { says: 'nonsense' } : says('England'),
    );
    const entities = await compute({ attempts: 1 }, [{ name: 'Ada' }, { name: 'Alan' }]);
    expect(entities.map(({ end, value }) => end?.kind ?? value)).toEqual(['failed', 'England']);
  });

  it('has as many calls open as it may, and no more', async () => {
    // Long enough for all that may be open to be open together, on a busy machine as well.
    server.reply({ ...says('England'), delayMs: 300 });
    await compute(
      { concurrency: 7 },
      Array.from({ length: 20 }, () => ({ name: 'Ada' })),
    );
    expect(server.peak()).toBe(7);
  });

  it('ends when it is told to', async () => {
    server.reply({ ...says('England'), delayMs: 60_000 });
    const stop = AbortSignal.timeout(100);
    await expect(compute({}, undefined, {}, stop)).rejects.toThrow(/timeout/);
  });
});

describe('the settings of ai_prompt', () => {
  const checking = { sandbox: { run: none, check: none, close: none }, models: ['fast', 'slow'] };
  const base = { model: 'fast', prompt: 'Where from?' };

  it.each([
    [{ model: 'fats' }, 'model', /unknown model "fats". Did you mean "fast"/],
    [{ template: 'custom' }, 'schema', /needs the JSON Schema/],
    [{ schema: { type: 'string' } }, 'schema', /Leave the schema out/],
    [{ template: 'object', schema: { type: 'nothing' } }, 'schema', /is no JSON Schema/],
    [{ template: 'custom', schema: { type: 'object' } }, 'schema', /required property "value"/],
  ])('of %j are refused', async (given, path, message) => {
    const { settings, validateSettings } = aiPrompt.definition;
    const problems = await validateSettings?.(settings.parse({ ...base, ...given }), checking);
    expect(problems).toEqual([{ path, message: expect.stringMatching(message) }]);
  });
});

function none(): never {
  throw new Error('prompts run nothing');
}
