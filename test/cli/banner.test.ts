import { describe, expect, it } from '@jest/globals';
import { banner } from '../../cli/dev/banner.js';
import { COUNT_WORDS, loadRightProject, writeProject } from '../support/project.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { config } from './fixtures.js';

const dir = useTemporaryDirectory();

const ADD = `import { defineOperation } from 'millrace';
import { z } from 'zod';
export const add = defineOperation({
  name: 'add',
  reads: z.object({ quantity: z.number().int() }),
  run: () => ({}),
});
`;
const EXPLODED = `name: a-list
result: all
stages:
  - name: split
    operations: [{ type: explode, options: { split: { quantities: quantity } } }]
`;

/** The body of the first line to try. */
async function triedBody(files: Readonly<Record<string, string>>): Promise<string | undefined> {
  await writeProject(dir.path, { 'millrace.config.ts': config(), ...files });
  const text = banner({
    project: await loadRightProject(dir.path),
    temporal: { settings: { address: '127.0.0.1:7233', namespace: 'default' } } as never,
    httpUrl: 'http://127.0.0.1:8787',
    busyPort: undefined,
    insecure: false,
    taskQueue: 'millrace',
  });
  return /curl http\S+\/pipelines\/(\S+) .* -d '(.*)'/.exec(text)?.slice(1).join(' ');
}

describe('the line to try', () => {
  it('has items of a list that the stages after it take', async () => {
    expect(
      await triedBody({
        'operations/add.ts': ADD,
        'pipelines/a.yml': `${EXPLODED}  - name: add\n    operations: [add]\n`,
      }),
    ).toBe('a-list {"quantities":[1]}');
  });

  it('prefers a pipeline of whose input every type is known', async () => {
    expect(
      await triedBody({
        'operations/count-words.ts': COUNT_WORDS,
        'pipelines/a.yml': EXPLODED,
        'pipelines/b.yml': 'name: b-sure\nstages: [{ name: one, operations: [count-words] }]\n',
      }),
    ).toBe('b-sure {"text":"The quick brown fox jumps over the lazy dog."}');
  });
});
