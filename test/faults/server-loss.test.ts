import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { config, post, WALKING_PROJECT } from '../cli/fixtures.js';
import { useCli, type CliProcess } from '../support/cli.js';
import { openEvents, type ReceivedEvent } from '../support/event-client.js';
import { writeProject } from '../support/project.js';
import { sharedServerAddress, uniqueTaskQueue } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { tell } from './measurements.js';

const dir = useTemporaryDirectory();
const start = useCli();

const RUNS = 30;
const CLIENTS_PER_RUN = 6;
const KILLS = 5;

/** Servers by place; a killed one comes back under another address. */
interface Servers {
  readonly urls: string[];
}

interface Followed {
  readonly events: readonly ReceivedEvent[];
  readonly reconnects: number;
}

/** Reads a run's events to the end, as a browser does: where a stream breaks, it goes on elsewhere after the last id. */
async function follow(servers: Servers, path: string, first: number): Promise<Followed> {
  const events: ReceivedEvent[] = [];
  let connections = 0;
  for (let place = first; ; place += 1) {
    const last = events.at(-1);
    const url = `${servers.urls[place % servers.urls.length] ?? ''}${path}`;
    const client = await openEvents(url, {
      headers: last?.id === undefined ? {} : { 'last-event-id': last.id },
    }).catch(() => undefined);
    if (client === undefined) {
      await delay(100);
      continue;
    }
    connections += 1;
    await client.ended;
    events.push(...client.events.filter(({ id }) => id !== undefined && id !== ''));
    const type = events.at(-1)?.event;
    if (type === 'complete' || type === 'error' || client.response.status === 204)
      return { events, reconnects: connections - 1 };
  }
}

describe('servers that are killed under many event streams', () => {
  it('cost no client an event, and repeat none', async () => {
    await writeProject(dir.path, {
      ...WALKING_PROJECT,
      'millrace.config.ts': config(uniqueTaskQueue()),
    });
    const env = { TEMPORAL_ADDRESS: sharedServerAddress() };
    const serve = async (): Promise<{ process: CliProcess; url: string }> => {
      const process = start(['server', '--port', '0'], { cwd: dir.path, env });
      const [, url = ''] = await process.says(/"url":"(http:[^"]+)"/);
      return { process, url };
    };
    const worker = start(['worker'], { cwd: dir.path, env });
    const running = await Promise.all([serve(), serve(), worker.says(/worker ready/)]).then(
      ([one, two]) => [one, two],
    );
    const servers: Servers = { urls: running.map(({ url }) => url) };
    const paths = await Promise.all(
      Array.from({ length: RUNS }, async (_, place) => {
        const { body } = await post(`${servers.urls[0] ?? ''}/pipelines/walk/async`, {
          // They end at different times, before, while and after servers are killed.
          steps: 20 + place * 6,
          notes: join(dir.path, 'notes.txt'),
        });
        return `/pipelines/walk/executions/${(body as { execution_id: string }).execution_id}/events`;
      }),
    );
    const following = paths.flatMap((path) =>
      Array.from({ length: CLIENTS_PER_RUN }, (_, client) => follow(servers, path, client)),
    );

    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(2_000);
      const place = kill % running.length;
      await running[place]?.process.stop('SIGKILL');
      const next = await serve();
      running[place] = next;
      servers.urls[place] = next.url;
    }

    const followed = await Promise.all(following);
    let lost = 0;
    let repeated = 0;
    for (const [place, path] of paths.entries()) {
      const whole = await openEvents(`${servers.urls[0] ?? ''}${path}`);
      await whole.ended;
      expect(whole.events.at(-1)?.event).toBe('complete');
      const clients = followed.slice(place * CLIENTS_PER_RUN, (place + 1) * CLIENTS_PER_RUN);
      for (const { events } of clients) {
        const ids = events.map(({ id }) => id);
        repeated += ids.length - new Set(ids).size;
        lost += whole.events.filter(({ id }) => !ids.includes(id)).length;
        expect(events).toEqual(whole.events);
      }
    }
    const reconnects = followed.reduce((sum, client) => sum + client.reconnects, 0);
    tell('server loss', {
      runs: RUNS,
      clients: followed.length,
      kills: KILLS,
      reconnects,
      events: followed.reduce((sum, { events }) => sum + events.length, 0),
      lost,
      repeated,
    });
    expect([lost, repeated]).toEqual([0, 0]);
    expect(reconnects).toBeGreaterThan(RUNS);
  });
});
