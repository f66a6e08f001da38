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

/** The first screen of a project. */
async function screen(files: Readonly<Record<string, string>>): Promise<string> {
  await writeProject(dir.path, { 'millrace.config.ts': config(), ...files });
  return banner({
    project: await loadRightProject(dir.path),
    temporal: { settings: { address: '127.0.0.1:7233', namespace: 'default' } } as never,
    httpUrl: 'http://127.0.0.1:8787',
    busyPort: undefined,
    insecure: false,
    taskQueue: 'millrace',
  });
}

/** The body of the first line to try. */
async function triedBody(files: Readonly<Record<string, string>>): Promise<string | undefined> {
  const text = await screen(files);
  return /curl http\S+\/pipelines\/(\S+) .* -d '(.*)'/.exec(text)?.slice(1).join(' ');
}

const FLOW = (schedule: string): string => `import { defineDataFlow } from 'millrace';
export const orders = defineDataFlow({ name: 'orders', schedule: ${schedule}, run: () => {} });
`;

describe('the first screen', () => {
  it('counts data flows beside pipelines, and tries a pipeline where there is one', async () => {
    const text = await screen({
      'flows/orders.ts': FLOW("{ every: '5m' }"),
      'operations/count-words.ts': COUNT_WORDS,
      'pipelines/b.yml': 'name: b-sure\nstages: [{ name: one, operations: [count-words] }]\n',
    });
    expect(text).toContain('queue "millrace", 1 pipeline, 1 data flow, 1 operation\n');
    expect(text).toContain('/pipelines/b-sure ');
    expect(text).not.toContain('flows run');
  });

  it('tries a data flow where there is no pipeline: its heartbeat, else the list of flows', async () => {
    expect(await screen({ 'flows/orders.ts': FLOW("{ heartbeat: { every: '5m' } }") })).toContain(
      '  Try it:\n    npx millrace flows run orders\n    curl -X POST http://127.0.0.1:8787/data_flows/heartbeat\n',
    );
    expect(await screen({ 'flows/orders.ts': FLOW("{ every: '5m' }") })).toContain(
      '    curl http://127.0.0.1:8787/data_flows\n',
    );
  });

  it('tries no address of data flows where they are not served', async () => {
    const text = await screen({
      'millrace.config.ts': `import { defineConfig } from 'millrace';\nexport default defineConfig({ dataFlows: { routes: false } });\n`,
      'flows/orders.ts': FLOW("{ every: '5m' }"),
    });
    expect(text).toContain('    npx millrace flows run orders\n\n');
    expect(text).not.toContain('curl');
  });
});

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
