import { describe, expect, it } from '@jest/globals';
import { SourcePlaces } from '../../../engine/project/source-places.js';
import type { Path } from '../../../src/pipeline/problem-list.js';
import { writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

/** What is written at the place that is found, as far as the end of its line. */
async function found(call: string, path: Path): Promise<string> {
  const text = `// A comment.\nexport const it = ${call};\n`;
  const dir = await writeProject(temporary.path, { 'a.ts': text });
  const site = { file: 'a.ts', line: 2, column: 19 };
  const { line = 0, column = 0 } = new SourcePlaces(dir).locate(site, path) ?? {};
  return text.split('\n')[line - 1]?.slice(column - 1) ?? '';
}

describe('the place of a part of a definition', () => {
  it.each<[string, Path, string]>([
    ['define({\n name: 1,\n timeout: 2,\n})', ['timeout'], 'timeout: 2,'],
    ["define<A, B>(\n // Why.\n {\n 'time-out': 2 })", ['time-out'], "'time-out': 2 });"],
    [
      'define({ a: [1, 2],\n stages: [{ x: 1 },\n { y: [\n 3] }] })',
      ['stages', 1, 'y', 0],
      '3] }] });',
    ],
    ['define({ a: "}, b: 1",\n b: 2 })', ['b'], 'b: 2 });'],
    ["define({ a: 'it\\'s, b: 1',\n b: 2 })", ['b'], 'b: 2 });'],
    ['define({ a: `x ${f({ b: `,` })} , b: 1`,\n b: 2 })', ['b'], 'b: 2 });'],
    ['define({ a: 1, /* b: 1, */ // b: 2,\n b: 3 })', ['b'], 'b: 3 });'],
    ['define({ a: x.split(/[,}]\\/,/), c: 4 / 2,\n b: 3 })', ['b'], 'b: 3 });'],
    [
      'define({ run: async ({ b }): Promise<Record<string, number>> => ({ b }),\n b: 3 })',
      ['b'],
      'b: 3 });',
    ],
    ['define({ async run({ b }) { return { b }; },\n b })', ['b'], 'b });'],
    [
      'define({\n reads: z.object({\n text: z.string() }) })',
      ['reads', 'text'],
      'text: z.string() }) });',
    ],
    ['define({ ...rest,\n [name]: 1,\n b: 2 })', ['b'], 'b: 2 });'],
  ])('is found in %j', async (call, path, rest) => {
    expect(await found(call, path)).toBe(rest);
  });

  it.each<[string, Path, string]>([
    ['define({\n stages: all })', ['stages', 0, 'name'], 'stages: all });'],
    [
      'define({\n stages: [...some, { name: 1 }] })',
      ['stages', 1, 'name'],
      'stages: [...some, { name: 1 }] });',
    ],
    ['define({\n name: 1 })', ['timeout'], 'define({'],
    ['define(settings)', ['timeout'], 'define(settings);'],
    ['define({ a: "never ended', ['b'], 'define({ a: "never ended;'],
  ])('is that of what is around it in %j', async (call, path, rest) => {
    expect(await found(call, path)).toBe(rest);
  });
});
