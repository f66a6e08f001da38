import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { JsonObject } from '../../../src/definition/json.js';
import type { TaskDefinition } from '../../../src/task/task.js';
import { compiled, messages, refusal } from './compiling.js';

describe('the input of a task', () => {
  const SCHEMA: JsonObject = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    required: ['order'],
    properties: {
      order: { type: 'string' },
      count: { type: 'integer', minimum: 1, default: 3 },
      size: { enum: ['small', 'large'] },
      tags: { type: 'array', items: { type: 'string' } },
    },
    additionalProperties: false,
  };
  const TYPES = z.object({ order: z.string(), count: z.int().default(3) });

  it('is anything where nothing is said', () => {
    expect(compiled({}).checkInput({ order: 7 })).toEqual({ order: 7 });
  });

  it('may be described by JSON Schema, whose defaults are filled in', () => {
    const { inputSchema, checkInput } = compiled({ inputSchema: SCHEMA });
    const { $schema: _, ...described } = SCHEMA;
    expect(inputSchema).toEqual(described);
    const given = { order: 'a' };
    expect(checkInput(given)).toEqual({ order: 'a', count: 3 });
    expect(given).toEqual({ order: 'a' });
  });

  it('is refused with each property that is not as JSON Schema says', () => {
    const task = compiled({ inputSchema: SCHEMA });
    expect(refusal(task, { count: 0, size: 'huge', tags: ['a', 7], ordr: 'a' })).toBe(
      [
        "Property 'order' is required",
        "Property 'ordr' is not part of the contract",
        "Property 'count' must be >= 1, got 0",
        'Property \'size\' expected one of "small", "large", got "huge"',
        "Property 'tags[1]' expected string, got 7",
      ].join('; '),
    );
    expect(refusal(task, { order: 'b' })).toBe('none');
  });

  it('may be described by zod, whose defaults are filled in', () => {
    const { inputSchema, checkInput } = compiled({ inputSchema: TYPES });
    expect(inputSchema).toMatchObject({
      type: 'object',
      required: ['order'],
      properties: { order: { type: 'string' }, count: { type: 'integer', default: 3 } },
    });
    expect(checkInput({ order: 'a' })).toEqual({ order: 'a', count: 3 });
  });

  it('is refused with each property that is not as zod says', () => {
    expect(refusal(compiled({ inputSchema: TYPES }), { count: 'many' })).toBe(
      "Property 'order' expected string, got undefined; Property 'count' expected number, got string",
    );
  });

  it.each<[string, TaskDefinition['inputSchema']]>([
    ['nothing', undefined],
    ['JSON Schema', { type: 'object' }],
  ])('has no property of the one name that none can have, with %s', (_kind, inputSchema) => {
    const task = compiled(inputSchema === undefined ? {} : { inputSchema });
    // What a request carries is read by JSON.parse, which makes such a property.
    const input = JSON.parse('{ "order": { "__proto__": { "admin": true } } }') as JsonObject;
    expect(refusal(task, input)).toBe(
      "Property 'order.__proto__' is not allowed: no property can be called __proto__",
    );
  });

  it.each<[unknown, string]>([
    [
      { type: 'objekt' },
      'input_schema is no JSON Schema: schema is invalid: data/type must be equal to one of the allowed values, data/type must be array, data/type must match a schema in anyOf.',
    ],
    [
      { $async: true, type: 'object', required: ['a'] },
      'input_schema is no JSON Schema: "$async" is no keyword of JSON Schema.',
    ],
    [
      { type: 'array' },
      'input_schema is no JSON Schema: a task is started with an object, and it says type: "array".',
    ],
    [
      { $ref: '#/$defs/nowhere' },
      "input_schema is no JSON Schema: can't resolve reference #/$defs/nowhere from id #.",
    ],
  ])('is refused where its schema is none: %j', (inputSchema, message) => {
    expect(messages({ inputSchema })).toEqual([`inputSchema:1  ${message}`]);
  });

  it('is refused where zod describes what JSON cannot carry', () => {
    expect(messages({ inputSchema: z.object({ at: z.date() }) })).toEqual([
      "inputSchema.at:1  inputSchema: 'at' is z.date(), which JSON cannot carry. Write z.iso.datetime() for a text, or z.coerce.date() for a Date made of it.",
    ]);
  });
});
