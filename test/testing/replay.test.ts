import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { defineOperation, definePipeline, defineWorkflow } from 'millrace';
import { createTestEngine, HistoriesDiverged, replay, type TestEngine } from 'millrace/testing';
import { z } from 'zod';
import { findTemporalCli } from '../../engine/dev-server/temporal-cli.js';
import { writeProject } from '../support/project.js';
import { useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { useWorkflowThreads } from '../support/workflow-threads.js';

useWorkflowThreads();

const temporal = useTemporal();
const dir = useTemporaryDirectory();

/** A workflow that waits, or does not any more. */
const remind = (first: string): string => `import { sleep } from '@temporalio/workflow';

export async function remind(): Promise<{ done: true }> {
  ${first}
  return { done: true };
}
`;

const ops = defineOperation({
  name: 'op',
  sets: z.object({ n: z.number() }),
  run: () => ({ n: 1 }),
});
const pipeline = definePipeline({ name: 'plain', stages: [{ name: 'a', operations: [ops] }] });

async function workflowFile(name: string, first: string): Promise<string> {
  const file = join(dir.path, name);
  await writeFile(file, remind(first));
  return file;
}

/** Does something with an engine that has run both. */
async function afterRuns<T>(
  file: string,
  work: (engine: TestEngine, ids: readonly string[]) => Promise<T>,
): Promise<T> {
  const engine = await createTestEngine({
    workflows: [
      defineWorkflow({
        name: 'remind',
        input: z.object({}),
        output: z.object({ done: z.boolean() }),
      }),
    ],
    workflowFiles: [file],
    pipelines: [pipeline],
    env: { TEMPORAL_ADDRESS: temporal.address },
  });
  try {
    const reminded = await engine.execute('remind', {});
    const plain = await engine.execute(pipeline, {});
    return await work(engine, [reminded.run.id, plain.run.id]);
  } finally {
    await engine.stop();
  }
}

describe('replay', () => {
  it('passes where workflow code does what it did, wherever histories are from', async () => {
    const file = await workflowFile('remind.ts', 'await sleep(10);');
    await afterRuns(file, async (engine, [reminded = '', plain = '']) => {
      const fetched = await temporal.client.workflow.getHandle(plain).fetchHistory();
      const { path } = await findTemporalCli();
      const { stdout } = await promisify(execFile)(path, [
        ...['workflow', 'show', '--address', temporal.address],
        ...['--workflow-id', reminded, '--output', 'json'],
      ]);
      const folder = join(dir.path, 'histories');
      await mkdir(folder);
      await writeFile(join(folder, 'remind.json'), stdout);
      const { workflowIds } = await replay([folder, fetched, { engine, id: plain }], {
        workflowFiles: [file],
      });
      expect(workflowIds).toEqual([reminded, plain, plain]);
    });
  });

  it('names each history that would go another way, and how', async () => {
    const file = await workflowFile('remind.ts', 'await sleep(10);');
    const changed = await workflowFile('changed.ts', '');
    await afterRuns(file, async (engine, [reminded = '', plain = '']) => {
      const error: unknown = await replay(
        [
          { engine, id: reminded },
          { engine, id: plain },
        ],
        { workflowFiles: [changed] },
      ).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(HistoriesDiverged);
      expect(error).toMatchObject({
        count: 2,
        diverged: [{ history: reminded, reason: expect.stringMatching(/nondeterminism/i) }],
        message: expect.stringMatching(/1 of 2 histories[^]*patched\(\)/),
      });
    });
  });

  it('replays with the workflows of a project', async () => {
    const file = await workflowFile('remind.ts', 'await sleep(10);');
    const project = join(dir.path, 'project');
    await writeProject(project, {
      'package.json': '{ "type": "module" }',
      'workflows/remind.contract.ts': `import { defineWorkflow } from 'millrace';
import { z } from 'zod';

export const remind = defineWorkflow({ name: 'remind', input: z.object({}), output: z.object({ done: z.boolean() }) });
`,
      'workflows/remind.ts': remind('await sleep(10);'),
    });
    await afterRuns(file, async (engine, [reminded = '']) => {
      const { workflowIds } = await replay([{ engine, id: reminded }], { dir: project });
      expect(workflowIds).toEqual([reminded]);
      await writeFile(join(project, 'workflows/remind.ts'), remind(''));
      await expect(replay([{ engine, id: reminded }], { dir: project })).rejects.toThrow(
        HistoriesDiverged,
      );
    });
  });

  it('says what is no history, and that there is none', async () => {
    const wrong = join(dir.path, 'wrong.json');
    await writeFile(wrong, '{ "events": [] }');
    const options = { workflowFiles: [] };
    await expect(replay([wrong], options)).rejects.toMatchObject({
      name: 'HistoryInvalid',
      history: wrong,
      message: expect.stringContaining('temporal workflow show'),
    });
    await expect(replay([join(dir.path, 'none.json')], options)).rejects.toThrow('ENOENT');
    await expect(replay([], options)).rejects.toMatchObject({ name: 'HistoryInvalid' });
    await expect(replay([{ events: [] }], options)).rejects.toThrow('history 1');
  });
});
