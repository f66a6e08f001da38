import { describe, expect, it } from '@jest/globals';
import { llmCall } from '../../../../src/pipeline/built-in/llm-call.js';
import type { ModelReference } from '../../../../src/pipeline/context.js';
import { problemsOf } from '../../../support/run-operation.js';

const model: ModelReference = {
  name: 'fast',
  capabilities: ['text', 'json'],
  generate: () => Promise.reject(new Error('nothing is asked at load')),
};

describe('llm-call at load', () => {
  const valid = { prompt: 'Hi', outputs: 'x' };
  const object = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };

  it.each([
    [
      'an unknown variable',
      { ...valid, prompt: '{{text}}' },
      'it uses {{text}}, which is not among the inputs. There are no inputs',
    ],
    [
      'an unknown variable in the system message',
      { ...valid, system: '{{a.b}}', inputs: ['b'] },
      'it uses {{a.b}}',
    ],
    ['an unknown section', { ...valid, prompt: '{{#a}}{{b}}{{/a}}' }, 'it uses {{a}}'],
    ['a partial', { ...valid, prompt: '{{> head}}' }, 'prompts have no partials'],
    [
      'a malformed template',
      { ...valid, prompt: '{{#a}}', inputs: ['a'] },
      'it is no Mustache template: Unclosed section "a"',
    ],
    [
      'several outputs of a text',
      { prompt: 'Hi', outputs: ['a', 'b'], json: false },
      'a text answer sets one property, not 2',
    ],
    ['no output', { prompt: 'Hi', outputs: {} }, 'outputs'],
    [
      'a number as text',
      { prompt: 'Hi', outputs: { a: 'number' }, json: false },
      'a text answer is a string',
    ],
    [
      'a schema of a text',
      { ...valid, schema: object, json: false },
      'a text answer has no schema',
    ],
    [
      'a misspelt keyword',
      { ...valid, schema: { type: 'object', requried: ['a'] } },
      'unknown keyword: "requried"',
    ],
    [
      'a wrong output type',
      { prompt: 'Hi', outputs: { a: { type: 'text' } } },
      'it is no usable JSON Schema',
    ],
    [
      'an output that the schema lacks',
      { prompt: 'Hi', outputs: ['aa'], schema: object },
      '"aa" is not among the properties of the schema. Did you mean "a"?',
    ],
    [
      'an output that the schema does not require',
      { prompt: 'Hi', outputs: ['a'], schema: { ...object, required: [] } },
      'the output "a" is not required',
    ],
  ])('refuses %s', (_what, options, message) => {
    expect(problemsOf(llmCall, { options, model })).toEqual([expect.stringContaining(message)]);
  });

  it('needs a model', () => {
    expect(problemsOf(llmCall, { options: valid })).toEqual([
      expect.stringContaining('needs a model that can text'),
    ]);
    expect(problemsOf(llmCall, { options: { ...valid, capability: 'vision' }, model })).toEqual([
      expect.stringContaining('lacks the capability "vision"'),
    ]);
  });
});
