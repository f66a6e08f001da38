import { describe, expect, it, jest } from '@jest/globals';
import { useCli } from '../support/cli.js';
import { GREET_CONTRACT } from '../support/greet-workflow.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { config, post } from './fixtures.js';

jest.setTimeout(60_000);

const temporal = useTemporal();
const dir = useProjectDirectory();
const start = useCli();

const SLEEPING = `import { sleep } from '@temporalio/workflow';

export async function greet({ name }: { name: string }): Promise<{ greeting: string }> {
  await sleep('1 hour');
  return { greeting: 'Good morning ' + name };
}
`;

/** Temporal asks the killed worker for 5 s whether it wants the run's next step. Unless told otherwise it would be 10 s. */
const TAKEN_OVER_MS = 8_000;

describe('a run whose worker was killed', () => {
  it('is gone on with by another worker within seconds, although Temporal asks the killed one first', async () => {
    await writeProject(dir.path, {
      'millrace.config.ts': config(uniqueTaskQueue()),
      'workflows/greet.contract.ts': GREET_CONTRACT,
      'workflows/greet.ts': SLEEPING,
    });
    const options = { cwd: dir.path, env: { TEMPORAL_ADDRESS: temporal.address } };
    const server = start(['server', '--port', '0'], options);
    const worker = start(['worker'], options);
    const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
    await worker.says(/worker ready/);
    const { body } = await post(`${url}/pipelines/greet/async`, { name: 'Ada' });
    const { execution_id: id } = body as { readonly execution_id: string };
    const handle = temporal.client.workflow.getHandle(`workflow/greet/${id}`);
    await until(async () => {
      const { events } = await handle.fetchHistory();
      return events?.some(({ timerStartedEventAttributes: timer }) => timer) === true
        ? true
        : undefined;
    });
    const other = start(['worker'], options);
    await other.says(/worker ready/);

    await worker.stop('SIGKILL');
    const killed = performance.now();
    await handle.cancel();
    await until(async () => {
      const { status } = await handle.describe();
      return status.name === 'RUNNING' ? undefined : true;
    }, 30_000);
    expect(performance.now() - killed).toBeLessThan(TAKEN_OVER_MS);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  });
});
