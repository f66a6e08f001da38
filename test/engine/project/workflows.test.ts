import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import { GREET, GREET_CONTRACT } from '../../support/greet-workflow.js';
import { loadRightProject, messagesIn, messagesOf, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();
const messages = messagesIn(temporary);

describe('a hand-written workflow', () => {
  it('is declared in a contract; its file is left to the worker and not run', async () => {
    const dir = await writeProject(temporary.path, {
      'workflows/greet.contract.ts': GREET_CONTRACT,
      'workflows/greet.ts': `${GREET}\nthrow new Error('workflow code ran outside of its sandbox');\n`,
    });
    const project = await loadRightProject(dir);
    expect(project.registry.definitions.get('greet')?.kind).toBe('workflow');
    expect(project.workflowFiles).toEqual([join(project.dir, 'workflows/greet.ts')]);
  });

  it('may be passed on by another file', async () => {
    const dir = await writeProject(temporary.path, {
      'workflows/greet.contract.ts': GREET_CONTRACT,
      'lib/greet.ts': GREET,
      'workflows/index.ts': `export * from '../lib/greet.js';`,
    });
    const loaded = await loadProject(dir);
    expect(messagesOf(loaded)).toEqual([]);
    expect(loaded.watched).toContain(join(loaded.project?.dir ?? '', 'lib/greet.ts'));
  });

  it('needs a function of its name', async () => {
    expect(
      await messages({
        'workflows/greet.contract.ts': GREET_CONTRACT,
        'workflows/greet.ts': GREET.replace('greet(', 'gret('),
      }),
    ).toEqual([
      'workflows/greet.contract.ts:3:22  workflow "greet": no file in workflows/ exports a function of that name. Did you mean "gret"?',
    ]);
  });

  it('needs only one', async () => {
    expect(
      await messages({
        'workflows/greet.contract.ts': GREET_CONTRACT,
        'workflows/greet.ts': GREET,
        'workflows/other.ts': GREET,
      }),
    ).toEqual([
      'workflows/greet.contract.ts:3:22  workflow "greet": workflows/greet.ts and workflows/other.ts both export it. Keep one of them.',
    ]);
  });

  it('keeps definitions and zod out of its own file', async () => {
    const sandbox =
      'its code runs in a sandbox of its own. Move definitions to a file that ends in .contract.ts, and import types only.';
    const instead = 'What workflow code can call is in "millrace/workflow".';
    expect(
      await messages({
        'workflows/greet.contract.ts': GREET_CONTRACT,
        'workflows/greet.ts': `import { greet as contract } from './greet.contract.js';\nexport { contract };\n${GREET}`,
      }),
    ).toEqual([
      `workflows/greet.ts  imports "millrace", which workflow code cannot: ${sandbox} ${instead}`,
      `workflows/greet.ts  warning:  imports "zod", which makes workers slow and large: ${sandbox}`,
    ]);
  });

  it('that cannot be compiled is told with its place', async () => {
    expect(await messages({ 'workflows/greet.ts': 'export async function greet( {\n' })).toEqual([
      'workflows/greet.ts:2:1  Expected identifier but found end of file.',
    ]);
  });
});
