import { describe, expect, it } from '@jest/globals';
import { modelConfigSchema } from '../../../src/config/model-config.js';

describe('a model of config.yml', () => {
  it('needs a provider and a model; the rest has defaults', () => {
    expect(modelConfigSchema.parse({ provider: 'openai', model: 'gpt-5-mini' })).toEqual({
      provider: 'openai',
      model: 'gpt-5-mini',
      capabilities: ['text'],
      options: {},
    });
  });

  it('may hold references, which stay as they are', () => {
    const options = {
      api_key: '${KEY}',
      base_url: '${BASE}/v1',
      headers: { 'x-team': 'secret://team' },
      timeout: '30s',
    };

    expect(
      modelConfigSchema.parse({ provider: 'openai-compatible', model: 'm', options }).options,
    ).toEqual(options);
  });

  it.each([
    ['an unknown provider', { provider: 'openia' }, 'provider'],
    ['an unknown key', { temprature: 1 }, 'temprature'],
    ['an unknown option', { options: { key: 'x' } }, 'key'],
    ['a wrong duration', { options: { timeout: 'soon' } }, 'is not a duration'],
    ['a temperature out of range', { options: { temperature: 3 } }, 'temperature'],
    ['a compatible server without its URL', { provider: 'openai-compatible' }, 'Write base_url'],
  ])('refuses %s', (_what, wrong, message) => {
    const { error } = modelConfigSchema.safeParse({ provider: 'openai', model: 'm', ...wrong });

    expect(JSON.stringify(error?.issues)).toContain(message);
  });
});
