import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import { GREET, GREET_CONTRACT } from '../../support/greet-workflow.js';
import { COUNT_WORDS, messagesIn, messagesOf, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

describe('a module in a folder of definitions that exports none', () => {
  it('is told by its name, and the project loads', async () => {
    const dir = await writeProject(temporary.path, {
      'operations/count-words.ts': COUNT_WORDS.replace('export const', 'const'),
      'pipelines/report.js': `const report = {};\n`,
      'workflows/greet.contract.ts': GREET_CONTRACT.replace('export const', 'const'),
      'workflows/greet.ts': GREET,
      'activities/mail.ts': `async function sendMail(): Promise<void> {}\nexport const LIMIT = 3;\n`,
    });
    const loaded = await loadProject(dir);
    expect(messagesOf(loaded)).toEqual([
      'activities/mail.ts  warning:  exports no function. Did you forget `export`?',
      'operations/count-words.ts  warning:  exports no definition. Did you forget `export`?',
      'pipelines/report.js  warning:  exports no definition. Did you forget `export`?',
      'workflows/greet.contract.ts  warning:  exports no definition. Did you forget `export`?',
    ]);
    expect(loaded.project).toBeDefined();
  });

  it('is right where others import it, where it holds types, and where nothing is in it yet', async () => {
    expect(
      await messages({
        'operations/words.ts': `export const WORD = /\\w+/;\n`,
        'operations/count-words.ts': `import { WORD } from './words.js';\n${COUNT_WORDS}void WORD;\n`,
        'operations/types.ts': `import type { Json } from 'millrace';\nexport interface Words { readonly text: Json }\n`,
        'operations/new.ts': `// To do.\n`,
        'activities/names.ts': `export const GREETING = 'Hello';\n`,
        'workflows/greet.contract.ts': GREET_CONTRACT,
        'workflows/greet.ts': `import { GREETING } from '../operations/greeting.js';\n${GREET}void GREETING;\n`,
        'operations/greeting.ts': `export const GREETING = 'Hello';\n`,
        'pipelines/uses.ts': `import { GREETING } from '../activities/names.js';\nimport { definePipeline } from 'millrace';\nexport default definePipeline({ name: GREETING, stages: [{ name: 'one', operations: ['log'] }] });\n`,
      }),
    ).toEqual([]);
  });
});

describe('mistakes', () => {
  it('in TypeScript are told at once, each where it is written', async () => {
    expect(
      await messages({
        'operations/unused.ts': `import { defineOperation } from 'millrace';
import { z } from 'zod';

export const unused = defineOperation({
  name: 'unused',
  sets: z.object({
    at: z.date(),
  }),
  retries: 2,
  timeout: 'soon',
  retry: {
    maximumAttempts: 0,
    backoffCoefficient: 0,
  },
  run: () => ({ at: new Date() }),
} as never);
`,
        'pipelines/report.ts': `import { definePipeline } from 'millrace';
export const report = definePipeline({
  name: 'report',
  timeout: 30,
  stages: [
    { operations: [{ type: 'log', retry: { maximumAttempts: 0 } }] } as never,
    { name: 'two', operatons: ['log'] } as never,
  ],
});
`,
        'workflows/greet.contract.ts': GREET_CONTRACT.replace(
          "name: 'greet',",
          "name: 'greet',\n  timeouts: 3,",
        ),
        'workflows/greet.ts': GREET,
      }),
    ).toEqual([
      `operations/unused.ts:7:5  operation "unused": sets: 'at' is z.date(), which JSON cannot carry. Write z.iso.datetime() and return date.toISOString().`,
      'operations/unused.ts:9:3  operation "unused": unknown key "retries". Did you mean "retry"?',
      expect.stringContaining(
        'operations/unused.ts:10:3  operation "unused": timeout: "soon" is not',
      ),
      'operations/unused.ts:12:5  operation "unused": retry.maximumAttempts must be a whole number from 1 to 100.',
      'operations/unused.ts:13:5  operation "unused": retry.backoffCoefficient must be at least 1.',
      "pipelines/report.ts:4:3  warning:  timeout: 30 is 30 milliseconds. Did you mean '30s'?",
      'pipelines/report.ts:6:5  stage 1 has no name.',
      'pipelines/report.ts:6:44  stage 1: "log": retry.maximumAttempts must be a whole number from 1 to 100.',
      'pipelines/report.ts:7:5  stage "two": has no operations. Add them: operations: [{ type: … }].',
      'pipelines/report.ts:7:20  stage "two": unknown key "operatons". Did you mean "operations"?',
      expect.stringMatching(
        /^workflows\/greet\.contract\.ts:\d+:3 {2}workflow "greet": unknown key "timeouts"\. Did you mean "timeout"\?$/,
      ),
    ]);
  });

  it('in YAML are told at once, also beside a value of a wrong kind', async () => {
    expect(
      await messages({
        'pipelines/report.yml': `name: report
timeout: 30
stages:
  - operations:
      - type: log
        retry: { maximum_attempts: 0 }
        ignore_errors: 3
  - name: two
    operations:
      - type: lgo
        retry: [1]
`,
      }),
    ).toEqual([
      "pipelines/report.yml:2:10  warning:  timeout: 30 is 30 milliseconds. Did you mean '30s'?",
      'pipelines/report.yml:4:5  stage 1 has no name.',
      'pipelines/report.yml:6:36  stage 1: "log": retry.maximumAttempts must be a whole number from 1 to 100.',
      expect.stringMatching(
        /^pipelines\/report\.yml:7:24 {2}key 'stages\[0\]\.operations\[0\]\.ignore_errors' expected/,
      ),
      expect.stringMatching(
        /^pipelines\/report\.yml:10:15 {2}stage "two": unknown operation type "lgo"\. Did you mean "log"\?$/,
      ),
      expect.stringMatching(
        /^pipelines\/report\.yml:11:16 {2}stage "two": key 'stages\[1\]\.operations\[0\]\.retry' expected/,
      ),
    ]);
  });
});
