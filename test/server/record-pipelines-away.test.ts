import { hostname } from 'node:os';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { coreOf } from '../../adapters/record-store/define-store.js';
import { post, send, useServers } from '../support/http-api.js';
import { greeting, usersIn } from '../support/record-stack.js';
import { useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

// A store is waited for as long as ten seconds, and by a run for longer.
jest.setTimeout(120_000);

describe('a store that nobody has', () => {
  const temporal = useTemporal();
  const folder = useTemporaryDirectory();
  const start = useStacks(temporal);
  const serve = useServers();
  const stores: ReturnType<typeof usersIn>[] = [];
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });

  function pipeline() {
    const store = usersIn(folder.path, ['Ann']);
    stores.push(store);
    return { store, recordPipelines: [greeting(store)] };
  }

  it('is told with 503, its id, the machine that had it last, and what to do', async () => {
    const { store, recordPipelines } = pipeline();
    // Its worker knows where the store is, and has it not.
    const { engine } = await start({ recordPipelines });
    const { url } = await serve(engine);
    const { id } = coreOf(store);
    const place = { store_id: id, host: hostname() };
    const answer = await send(`${url}/record_pipelines/greeting/versions`);
    expect([answer.status, answer.headers.get('retry-after'), answer.body]).toMatchObject([
      503,
      '2',
      {
        type: 'store_away',
        ...place,
        error: expect.stringMatching(`No worker has the store ${id} .* start a worker there`),
      },
    ]);
    expect((await send(`${url}/record_pipelines/greeting`)).body).toMatchObject({
      name: 'greeting',
      store: {
        reachable: false,
        id,
        host: hostname(),
        counts: null,
        error: { type: 'RecordStoreAway', message: expect.stringContaining(id) },
      },
    });
  });

  it('keeps a run waiting, which is told as Temporal knows it', async () => {
    const { recordPipelines } = pipeline();
    const { engine } = await start({ recordPipelines });
    const { url } = await serve(engine);
    const started = await post(`${url}/record_pipelines/greeting/run`);
    expect([started.status, started.body]).toMatchObject([202, { run: { status: 'pending' } }]);
    const { id } = started.body['run'] as { readonly id: string };
    const path = `${url}/record_pipelines/greeting/runs/${id}`;
    expect((await send(path)).body).toMatchObject({
      id,
      status: 'in_progress',
      completed: null,
      failed: null,
      store_error: { type: 'RecordStoreAway', message: expect.stringContaining('No worker') },
    });
    expect((await post(`${path}/cancel`)).status).toBe(202);
    // The store is told a while longer that the run is over, and then left alone.
    await until(async () => (await send(path)).body['status'] === 'cancelled' || undefined, 90_000);
    const missing = await send(path.replace(id, '01JABCDEFGHJKMNPQRSTVWXYZ0'));
    expect([missing.status, missing.body['type']]).toEqual([503, 'store_away']);
  });

  it('is told with 503 where no worker is there at all, and what was asked is not done later', async () => {
    const { store, recordPipelines } = pipeline();
    const { engine, startWorker } = await start({ recordPipelines, worker: false });
    const { url } = await serve(engine);
    const asked = await post(`${url}/record_pipelines/greeting/versions`);
    expect([asked.status, asked.body]).toMatchObject([
      503,
      { type: 'store_away', error: expect.stringContaining('Start one (millrace worker') },
    ]);
    await startWorker();
    // The worker has begun with what came after it.
    expect((await send(`${url}/record_pipelines/greeting`)).body).toMatchObject({
      store: { reachable: false, error: { message: expect.stringContaining('No worker has the') } },
    });
    expect(store.versions).toEqual([]);
  });
});
