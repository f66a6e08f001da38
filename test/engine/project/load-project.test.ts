import { describe, expect, it } from '@jest/globals';
import { loadProject } from '../../../engine/project/load-project.js';
import { COUNT_WORDS, loadRightProject, messagesOf, WORD_REPORT, writeProject } from '../../support/project.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

const temporary = useTemporaryDirectory();

async function messages(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  return messagesOf(await loadProject(await writeProject(temporary.path, files), { env }));
}

describe('a folder with an operation and a pipeline', () => {
  it('loads without a package.json and without installed packages', async () => {
    const dir = await writeProject(temporary.path, { 'operations/count-words.ts': COUNT_WORDS, 'pipelines/word-report.yml': WORD_REPORT });
    const project = await loadRightProject(dir);
    expect([...project.registry.definitions.keys()]).toEqual(['word-report']);
    expect(project.registry.operations.get('count-words')?.site).toEqual({ file: 'operations/count-words.ts', line: 4, column: 27 });
    expect(project.registry.definitions.get('word-report')?.site).toEqual({ file: 'pipelines/word-report.yml', line: 2, column: 1 });
  });

  it('that is empty loads as a project without definitions', async () => {
    const project = await loadRightProject(temporary.path);
    expect(project.registry.definitions.size).toBe(0);
    expect(project.config.server.port).toBe(8787);
  });
});

describe('a mistake', () => {
  it('in the name of an operation is told with its place and the name that was meant', async () => {
    expect(
      await messages({
        'operations/count-words.ts': COUNT_WORDS,
        'pipelines/word-report.yml': WORD_REPORT.replace('{ type: count-words }', '{ type: count-wrods }'),
      }),
    ).toEqual(['pipelines/word-report.yml:6:26  stage "count": unknown operation type "count-wrods". Did you mean "count-words"?']);
  });
});
