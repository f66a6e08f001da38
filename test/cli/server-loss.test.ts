import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { useCli, type CliProcess } from '../support/cli.js';
import { openEvents } from '../support/event-client.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { config, WALKING_PROJECT } from './fixtures.js';

jest.setTimeout(90_000);

const dir = useProjectDirectory();
const start = useCli();

/** Starts a server process and gives its address. */
async function serve(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly process: CliProcess; readonly url: string }> {
  const process = start(['server', '--port', '0'], { cwd: dir.path, env });
  const [, url = ''] = await process.says(/"url":"(http:[^"]+)"/);
  return { process, url };
}

describe('a client of an event stream whose server is killed', () => {
  it('goes on with another server, and gets every event exactly once', async () => {
    await writeProject(dir.path, {
      ...WALKING_PROJECT,
      'millrace.config.ts': config(uniqueTaskQueue()),
    });
    const env = { TEMPORAL_ADDRESS: sharedServerAddress() };
    const worker = start(['worker'], { cwd: dir.path, env });
    const [first, second] = await Promise.all([
      serve(env),
      serve(env),
      worker.says(/worker ready/),
    ]);
    const before = await openEvents(`${first.url}/pipelines/walk/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ steps: 20, notes: join(dir.path, 'notes.txt') }),
    });
    await before.until(({ event }) => event === 'operation_started');

    await first.process.stop('SIGKILL');
    await before.ended;

    const seen = before.events.filter(({ id }) => id !== undefined);
    const execution = before.response.headers.get('x-execution-id') ?? '';
    const events = `${second.url}/pipelines/walk/executions/${execution}/events`;
    const after = await openEvents(events, { headers: { 'last-event-id': seen.at(-1)?.id ?? '' } });
    await after.ended;
    const whole = await openEvents(events);
    await whole.ended;
    const together = [...seen, ...after.events.filter(({ id }) => id !== undefined)];
    expect(together).toEqual(whole.events);
    expect(together.at(-1)).toMatchObject({ event: 'complete', data: { result: { walked: 20 } } });
  });
});
