import { describe, expect, it } from '@jest/globals';
import { InvalidSchema, schemaCheck } from '../../../src/contract/schema-validation.js';

describe('a check by JSON Schema', () => {
  const check = schemaCheck({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: {
      records: {
        type: 'array',
        items: { type: 'object', properties: { 'a/b': { type: 'number' } } },
      },
      day: { type: 'string', format: 'date', example: '2026-01-01' },
    },
    required: ['records'],
    additionalProperties: false,
  });

  it('lets pass what satisfies it', () => {
    expect(check({ records: [{ 'a/b': 1 }], day: 'some day' })).toBeUndefined();
  });

  it.each([
    [[], 'it must be object'],
    [{}, "it must have required property 'records'"],
    [{ records: [{}, { 'a/b': 'x' }] }, 'records[1]["a/b"] must be number'],
    [{ records: [], more: 1 }, 'it must NOT have additional properties ("more")'],
  ])('names what is wrong with %j', (value, message) => {
    expect(check(value)).toBe(message);
  });

  it.each([
    ['an unknown keyword', { type: 'object', requried: ['a'] }, 'unknown keyword: "requried"'],
    ['an unknown type', { type: 'text' }, 'schema is invalid'],
    [
      'a reference that leads nowhere',
      { $ref: 'https://example.com/schema' },
      "can't resolve reference",
    ],
  ])('cannot be made of %s', (_what, schema, message) => {
    expect(() => schemaCheck(schema)).toThrow(InvalidSchema);
    expect(() => schemaCheck(schema)).toThrow(message);
  });
});
