import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import { GREET, GREET_CONTRACT } from '../../support/greet-workflow.js';
import { COUNT_WORDS, loadRightProject, messagesIn, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

const MAIL = `export async function sendMail(to: string): Promise<string> {
  return 'sent to ' + to;
}
`;

const messages = messagesIn(temporary);

describe('the functions that files in activities/ export', () => {
  it('are activities under the names of their exports; classes and values are not', async () => {
    const dir = await writeProject(temporary.path, {
      'activities/mail.ts': `${MAIL}export class MailRefused extends Error {}\nexport const RETRIES = 3;\nexport const callBack = () => 'called';\n`,
      'activities/deep/post.mjs': `export function sendLetter() {}\n`,
      'activities/mail.test.ts': `throw new Error('a test ran');`,
    });
    const { registry, workflowFiles } = await loadRightProject(dir);
    expect([...registry.activities.keys()].sort()).toEqual(['callBack', 'sendLetter', 'sendMail']);
    expect(await registry.activities.get('sendMail')?.run('ada')).toBe('sent to ada');
    expect(workflowFiles).toEqual([]);
  });

  it('may be passed on by another file, and may have two names', async () => {
    const dir = await writeProject(temporary.path, {
      'activities/mail.ts': MAIL,
      'activities/index.ts': `export * from './mail.js';\nexport { sendMail as write } from './mail.js';`,
    });
    expect([...(await loadRightProject(dir)).registry.activities.keys()].sort()).toEqual([
      'sendMail',
      'write',
    ]);
  });

  it('are found below autoloadPaths, too, in folders of the same name', async () => {
    const dir = await writeProject(temporary.path, {
      'millrace.config.ts': `import { defineConfig } from 'millrace';\nexport default defineConfig({ autoloadPaths: ['shop'] });\n`,
      'shop/activities/mail.ts': MAIL,
      'shop/operations/count-words.ts': `${COUNT_WORDS}export function notAnActivity() {}\n`,
    });
    const { registry } = await loadRightProject(dir);
    expect([...registry.activities.keys()]).toEqual(['sendMail']);
    expect(registry.operations.has('count-words')).toBe(true);
  });

  it('are watched', async () => {
    const dir = await writeProject(temporary.path, { 'activities/mail.ts': MAIL });
    const { watched, project } = await loadProject(dir);
    expect(watched).toContain(join(project?.dir ?? '', 'activities'));
  });

  it('have names of their own', async () => {
    expect(
      await messages({
        'activities/a.ts': MAIL,
        'activities/b.ts': MAIL,
        'activities/c.ts': `export function log() {}\nexport function toString() {}\nexport function __temporal_x() {}\nexport default function () {}\n`,
        'activities/d.ts': `function quick() {}\nexport { quick as 'millrace.quick' };\n`,
      }),
    ).toEqual([
      'activities/b.ts  activity "sendMail" is already defined by activities/a.ts:1. Rename one of them.',
      'activities/c.ts  exports a function "__temporal_x", which is reserved and cannot be an activity. Rename it.',
      'activities/c.ts  exports a function as its default: an activity has the name of its export. Write: export async function sendMail() { … }.',
      'activities/c.ts  exports a function "log", which is the name of an operation of the product itself: Temporal could not tell the two apart. Rename one of them.',
      'activities/c.ts  exports a function "toString", which is reserved and cannot be an activity. Rename it.',
      'activities/d.ts  exports a function "millrace.quick", which is reserved and cannot be an activity. Rename it.',
    ]);
  });

  it('are known to workflows by their types only', async () => {
    const greet = (imports: string): string =>
      `${imports}\n${GREET.replace("'Hello ' + name", 'await greeting(name)').replace('export async', 'const greeting = async (name: string) => (await mail.sendMail(name));\nexport async')}`;
    expect(
      await messages({
        'activities/mail.ts': MAIL,
        'workflows/greet.contract.ts': GREET_CONTRACT,
        'workflows/greet.ts': greet(`import * as mail from '../activities/mail.js';`),
      }),
    ).toEqual([
      'workflows/greet.ts  imports the code of activities/mail.ts, which runs outside of workflows. Write `import type`, and call its functions by proxyActivities.',
    ]);
  });
});

describe('a folder without installed packages', () => {
  it('has the packages that workflows and activities are written with', async () => {
    const dir = await writeProject(temporary.path, {
      'activities/mail.ts': `import { Context } from '@temporalio/activity';\nimport { activityContext } from 'millrace';\nexport const who = () => [Context, activityContext].length;\n`,
      'workflows/greet.contract.ts': GREET_CONTRACT,
      'workflows/greet.ts': `import { proxyActivities } from '@temporalio/workflow';\nimport { executePipeline } from 'millrace/workflow';\nimport type * as mail from '../activities/mail.js';\nconst { who } = proxyActivities<typeof mail>({ startToCloseTimeout: '1s' });\n${GREET.replace('return', 'await who(); await executePipeline("report", {}); return')}`,
    });
    const { registry } = await loadRightProject(dir);
    expect(await registry.activities.get('who')?.run()).toBe(2);
  });
});
