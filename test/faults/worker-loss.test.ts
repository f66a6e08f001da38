import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { config, notesOf, post, WALK } from '../cli/fixtures.js';
import { useCli, type CliProcess } from '../support/cli.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const dir = useTemporaryDirectory();
const start = useCli();

/** Walks in two durable stages, and may lose many workers. */
const PATIENT_WALK = `name: walk
timeout: 10 minutes
stages:
  - name: out
    operations: [{ type: walk, retry: { maximum_attempts: 50, initial_interval: 100ms, maximum_interval: 1s } }]
  - name: back
    operations: [{ type: walk, name: walk-back, retry: { maximum_attempts: 50, initial_interval: 100ms, maximum_interval: 1s } }]
`;

const RUNS = 20;
const KILLS = 12;

describe('workers that are killed again and again', () => {
  it('lose no run: every one ends with its result, and bodies go on from their checkpoints', async () => {
    await writeProject(dir.path, {
      'millrace.config.ts': config(uniqueTaskQueue()),
      'operations/walk.ts': WALK,
      'pipelines/walk.yml': PATIENT_WALK,
    });
    const env = { TEMPORAL_ADDRESS: sharedServerAddress() };
    const startWorker = async (): Promise<CliProcess> => {
      const worker = start(['worker'], { cwd: dir.path, env });
      await worker.says(/worker ready/);
      return worker;
    };
    const server = start(['server', '--port', '0'], { cwd: dir.path, env });
    const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
    const workers = [await startWorker(), await startWorker()];
    const executions = await Promise.all(
      Array.from({ length: RUNS }, async () => {
        const { status, body } = await post(`${url}/pipelines/walk/async`, {
          steps: 60,
          notes: join(dir.path, 'notes.txt'),
        });
        expect(status).toBe(202);
        return (body as { execution_id: string }).execution_id;
      }),
    );

    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(1_500);
      const [victim] = workers.splice(kill % workers.length, 1);
      await victim?.stop('SIGKILL');
      workers.push(await startWorker());
    }

    for (const execution of executions) {
      const status = await untilClosed(`${url}/pipelines/walk/executions/${execution}`);
      expect(status).toMatchObject({ status: 'completed', result: { walked: 60 } });
    }
    // A body that began anew after each kill would have said so.
    const notes = await notesOf(dir.path);
    expect(notes.filter(({ attempt, from }) => attempt > 1 && from > 0).length).toBeGreaterThan(0);
  });
});

async function untilClosed(url: string): Promise<unknown> {
  for (let left = 600; left > 0; left -= 1) {
    const body = (await (await fetch(url)).json()) as { status: string };
    if (body.status !== 'running' && body.status !== 'pending') return body;
    await delay(500);
  }
  throw new Error(`${url} has not ended`);
}
