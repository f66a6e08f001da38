import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import { GREET, GREET_CONTRACT } from '../../support/greet-workflow.js';
import {
  COUNT_WORDS,
  WORD_REPORT,
  loadRightProject,
  messagesIn,
  messagesOf,
  writeProject,
} from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

describe('a folder with an operation and a pipeline', () => {
  it('loads without a package.json and without installed packages', async () => {
    const dir = await writeProject(temporary.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT,
    });
    const project = await loadRightProject(dir);
    expect([...project.registry.definitions.keys()]).toEqual(['word-report']);
    expect(project.registry.operations.has('count-words')).toBe(true);
  });

  it('tells of each definition the file and line that it is written in', async () => {
    const dir = await writeProject(temporary.path, {
      'operations/deep/down/count-words.ts': `// A comment.\n${COUNT_WORDS}`,
      'pipelines/word-report.yml': WORD_REPORT,
      'pipelines/other.ts': `import { definePipeline } from 'millrace';
type Erased = { readonly not: 'in the compiled file' };
interface Erased2 { readonly not: Erased }

export default definePipeline({ name: 'other', stages: [{ name: 'only', operations: ['count-words'] }] });
`,
      'workflows/greet.contract.ts': GREET_CONTRACT,
      'workflows/greet.ts': GREET,
    });
    const { registry } = await loadRightProject(dir);
    expect(registry.operations.get('count-words')?.site).toEqual({
      file: 'operations/deep/down/count-words.ts',
      line: 5,
      column: 27,
    });
    expect(registry.definitions.get('word-report')?.site).toEqual({
      file: 'pipelines/word-report.yml',
      line: 2,
      column: 1,
    });
    expect(registry.definitions.get('other')?.site).toMatchObject({
      file: 'pipelines/other.ts',
      line: 5,
    });
    expect(registry.definitions.get('greet')?.site).toMatchObject({
      file: 'workflows/greet.contract.ts',
      line: 3,
    });
  });

  it('loads when it is empty, as a project without definitions', async () => {
    const project = await loadRightProject(temporary.path);
    expect(project.registry.definitions.size).toBe(0);
    expect([...project.registry.operations.keys()]).toContain('link');
  });

  it('leaves tests, declarations and hidden folders alone', async () => {
    expect(
      await messages({
        'operations/count-words.test.ts': `throw new Error('a test ran');`,
        'operations/count-words.spec.js': `throw new Error('a test ran');`,
        'operations/types.d.ts': `export declare const nothing: string;`,
        'operations/.draft/wip.ts': `not typescript`,
      }),
    ).toEqual([]);
  });

  it('that does not exist is told by its path', async () => {
    const dir = join(temporary.path, 'nowhere');
    expect(messagesOf(await loadProject(dir))).toEqual([
      `There is no folder ${dir}. Name the folder of a project: --dir.`,
    ]);
  });

  it('that cannot be written to is told, with what is needed', async () => {
    const dir = await writeProject(temporary.path, {
      'operations/count-words.ts': COUNT_WORDS,
      '.millrace': 'a file where a folder should be',
    });
    expect(messagesOf(await loadProject(dir))).toEqual([
      expect.stringMatching(
        /^E\w+: .*\.millrace.*\. The project's files must be readable, and \.millrace\/ in its folder writable/,
      ),
    ]);
  });
});

describe('an operation', () => {
  it('that is exported by two files counts once', async () => {
    const dir = await writeProject(temporary.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'operations/all.ts': `export { countWords, countWords as again } from './count-words.js';`,
    });
    await loadRightProject(dir);
  });

  it('may be written in JavaScript and exported as the default', async () => {
    const dir = await writeProject(temporary.path, {
      'operations/note.mjs': `import { defineOperation } from 'millrace';\nexport default defineOperation({ name: 'note', run: () => ({}) });\n`,
    });
    expect((await loadRightProject(dir)).registry.operations.has('note')).toBe(true);
  });

  it('may share its name with no other, and none with a built-in one', async () => {
    const again = COUNT_WORDS.replace('countWords', 'countAgain');
    expect(
      await messages({
        'operations/a.ts': COUNT_WORDS,
        'operations/b.ts': again,
        'operations/log.ts': COUNT_WORDS.replace('count-words', 'log'),
      }),
    ).toEqual([
      'operations/b.ts:4:27  operation "count-words" is already defined by operations/a.ts:4. Rename one of them.',
      'operations/log.ts:4:27  operation "log" is already defined by the product itself. Rename one of them.',
    ]);
  });

  it('that a pipeline uses but no folder exports is told, with what to do', async () => {
    expect(
      await messages({
        'lib/count-words.ts': COUNT_WORDS,
        'pipelines/report.ts': `import { definePipeline } from 'millrace';
import { countWords } from '../lib/count-words.js';
export const report = definePipeline({ name: 'report', stages: [{ name: 'count', operations: [countWords] }] });
`,
      }),
    ).toEqual([
      'pipelines/report.ts:3:95  stage "count": unknown operation type "count-words". Export it from a file in operations/, so that workers find it.',
    ]);
  });

  it('that a pipeline uses must be the one that is registered by its name', async () => {
    expect(
      await messages({
        'operations/count-words.ts': COUNT_WORDS,
        'lib/count-words.ts': COUNT_WORDS,
        'pipelines/report.ts': `import { definePipeline } from 'millrace';
import { countWords } from '../lib/count-words.js';
export const report = definePipeline({ name: 'report', stages: [{ name: 'count', operations: [countWords] }] });
`,
      }),
    ).toEqual([
      'pipelines/report.ts:3:95  stage "count": another operation is registered as "count-words", by operations/count-words.ts:4. Rename one of them.',
    ]);
  });

  it('without a body is refused where it is defined', async () => {
    expect(
      await messages({
        'operations/a.js': `import { defineOperation } from 'millrace';\nexport const a = defineOperation({ name: 'a' });\n`,
      }),
    ).toEqual([
      expect.stringMatching(
        /^operations\/a\.js:2:\d+ {2}threw while it was loaded: TypeError: operation "a": give it either run or runBatch, a function\.$/,
      ),
    ]);
  });
});

describe('a mistake in a definition', () => {
  it('in the name of an operation is told with its place and the name that was meant', async () => {
    expect(
      await messages({
        'operations/count-words.ts': COUNT_WORDS,
        'pipelines/word-report.yml': WORD_REPORT.replace(
          '{ type: count-words }',
          '{ type: count-wrods }',
        ),
      }),
    ).toEqual([
      'pipelines/word-report.yml:6:26  stage "count": unknown operation type "count-wrods". Did you mean "count-words"?',
    ]);
  });

  it('in the name of a property warns, and does not keep the pipeline from loading', async () => {
    const dir = await writeProject(temporary.path, {
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/word-report.yml': WORD_REPORT.replace(
        'type: log, options: { fields: [words] }',
        'type: link, options: { copy: { word: total } }',
      ),
    });
    const loaded = await loadProject(dir);
    expect(messagesOf(loaded)).toEqual([
      'pipelines/word-report.yml:8:18  warning:  stage "log": "link" reads "word", which no earlier stage sets, so it becomes part of the input. Did you mean "words"?',
    ]);
    expect(loaded.project).toBeDefined();
  });

  it('in a pipeline of TypeScript is told where it is written', async () => {
    expect(
      await messages({
        'pipelines/report.ts': `import { definePipeline } from 'millrace';\n\nexport const report = definePipeline({\n  name: 'report',\n  stages: [{ name: 'count', operations: ['lnk'] }],\n});\n`,
      }),
    ).toEqual([
      'pipelines/report.ts:5:42  stage "count": unknown operation type "lnk". Did you mean "link"?',
    ]);
  });

  it('keeps the project from loading together with all others, which are told at once and in order', async () => {
    const loaded = await loadProject(
      await writeProject(temporary.path, {
        'operations/count-words.ts': COUNT_WORDS,
        'pipelines/a.yml': 'stages: [{ name: one, operations: [cuont-words] }]\n',
        'pipelines/b.yml': 'name: b\ntimeout: soon\n',
        'pipelines/c.yml':
          'name: c\nstages:\n  - operations: [link]\n  - name: two\n    paralel: 2\n    timeout: 0\n    operations: [nothing]\n',
        'pipelines/d.ts': `import { definePipeline } from 'millrace';\nexport const d = definePipeline({ name: 'toString', stages: [] });\n`,
        'config.yml':
          'models:\n  fast: { provider: openai, model: gpt, options: { api_key: "${NO_KEY}" } }\n',
      }),
      { env: {} },
    );
    expect(loaded.project).toBeUndefined();
    expect(messagesOf(loaded)).toEqual([
      'config.yml:2:61  the environment variable NO_KEY is not set. Set it before you start, or take the reference out.',
      'pipelines/a.yml:1:1  pipeline has no name. Give it one: name: "word-report".',
      'pipelines/a.yml:1:36  stage "one": unknown operation type "cuont-words". Did you mean "count-words"?',
      'pipelines/b.yml:1:1  has no stages. Add at least one: stages: [{ name, operations: [...] }].',
      expect.stringMatching(/^pipelines\/b\.yml:2:10 {2}timeout: "soon" is not a duration\./),
      'pipelines/c.yml:3:5  stage 1 has no name.',
      'pipelines/c.yml:5:5  stage "two": unknown key "paralel". Did you mean "parallel"?',
      expect.stringMatching(
        /^pipelines\/c\.yml:6:14 {2}stage "two": timeout: 0 is not a duration\./,
      ),
      expect.stringMatching(
        /^pipelines\/c\.yml:7:18 {2}stage "two": unknown operation type "nothing"\. Known: /,
      ),
      'pipelines/d.ts:2:35  pipeline is called "toString", which is reserved. Choose another name.',
      'pipelines/d.ts:2:53  has no stages. Add at least one: stages: [{ name, operations: [...] }].',
    ]);
  });

  it('in one operation does not blame the pipelines that use it', async () => {
    expect(
      await messages({
        'operations/count-words.ts': `${COUNT_WORDS}\nthrow new Error('no database');\n`,
        'pipelines/word-report.yml': WORD_REPORT,
        'pipelines/other.yml':
          'name: other\nstages: [{ name: one, operations: [log], merge: best }]\n',
      }),
    ).toEqual([
      'operations/count-words.ts:12:7  threw while it was loaded: Error: no database',
      'pipelines/other.yml:2:49  merge is "best"; it must be one of last, first, collate, disjoint.',
    ]);
  });
});

describe('names', () => {
  it.each(['toString', 'constructor', 'default', 'millrace', 'millrace.own'])(
    'such as %s are reserved',
    async (name) => {
      expect(
        await messages({
          'pipelines/a.yml': `name: ${name}\nstages: [{ name: one, operations: [log] }]\n`,
        }),
      ).toEqual([
        `pipelines/a.yml:1:7  pipeline is called "${name}", which is reserved. Choose another name.`,
      ]);
    },
  );

  it('of pipelines and workflows are of one kind: none is used twice', async () => {
    expect(
      await messages({
        'pipelines/a.yml': 'name: greet\nstages: [{ name: one, operations: [log] }]\n',
        'pipelines/b.yml': 'name: greet\nstages: [{ name: one, operations: [log] }]\n',
        'workflows/greet.contract.ts': GREET_CONTRACT,
        'workflows/greet.ts': GREET,
      }),
    ).toEqual([
      'pipelines/b.yml:1:1  definition "greet" is already defined by pipelines/a.yml:1. Rename one of them.',
      'workflows/greet.contract.ts:3:22  definition "greet" is already defined by pipelines/a.yml:1. Rename one of them.',
    ]);
  });
});
