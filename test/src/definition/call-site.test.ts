import { describe, expect, it } from '@jest/globals';
import { siteOfFrame } from '../../../src/definition/call-site.js';
import { defineOperation } from '../../../src/pipeline/operation.js';

describe('the place of a definition', () => {
  it('is the line that calls defineOperation', () => {
    const operation = defineOperation({ name: 'here', run: () => ({}) });
    expect(operation.site).toMatchObject({ file: import.meta.filename, line: 7 });
  });

  it.each<[string, string]>([
    ['    at name (/dir/a.ts:3:10)', '/dir/a.ts'],
    ['    at /dir/a.ts:3:10', '/dir/a.ts'],
    ['    at async /dir/a.ts:3:10', '/dir/a.ts'],
    ['    at Object.name [as other] (/a dir (1)/a.ts:3:10)', '/a dir (1)/a.ts'],
    ['    at /a dir (1)/a.ts:3:10', '/a dir (1)/a.ts'],
    ['    at file:///a%20dir/a.mjs:3:10', '/a dir/a.mjs'],
    ['    at new Name (file:///C:/dir/a.mjs:3:10)', 'C:/dir/a.mjs'],
    ['    at name (C:\\dir\\a.ts:3:10)', 'C:\\dir\\a.ts'],
  ])('is read from %s', (frame, file) => {
    expect(siteOfFrame(frame)).toEqual({ file, line: 3, column: 10 });
  });

  it.each([
    'Error: at noon',
    '    at node:internal/main:1:2',
    '    at name (<anonymous>)',
    '    at eval (eval at f (/a.js:1:2), <anonymous>:1:2)',
  ])('is not known from %s', (frame) => {
    expect(siteOfFrame(frame)).toBeUndefined();
  });
});
