import { describe, expect, it } from '@jest/globals';
import { configurationPlaces, withConfiguration } from '../../../src/data-flow/template.js';

describe('options that refer to the configuration', () => {
  const configuration = { path: 'a.csv', size: 7, deep: { list: [1] } };

  it('get a value with its type where they are nothing else, and its text within others', () => {
    const options = {
      whole: '{{ configuration.size }}',
      part: 'data/{{configuration.path}}?n={{ configuration.size }}',
      list: ['{{ configuration.deep.list }}', 'as it is'],
      missing: '{{ configuration.nothing }}',
    };
    expect(withConfiguration(options, configuration)).toEqual({
      whole: 7,
      part: 'data/a.csv?n=7',
      list: [[1], 'as it is'],
      missing: null,
    });
    expect(configurationPlaces(options)).toEqual(['size', 'path', 'size', 'deep.list', 'nothing']);
  });

  it('see no members that every object inherits', () => {
    expect(withConfiguration('{{ configuration.constructor }}', configuration)).toBeNull();
  });
});
