import { afterEach, describe, expect, it } from '@jest/globals';
import { openEvents } from '../support/event-client.js';
import { post, send, useServers } from '../support/http-api.js';
import { greeting, useRecordStacks, usersIn, type Gate } from '../support/record-stack.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

describe('the events of a run of a record pipeline', () => {
  const folder = useTemporaryDirectory();
  const start = useRecordStacks();
  const serve = useServers();
  const stores: ReturnType<typeof usersIn>[] = [];
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });

  const started = async (names: readonly string[], gate: Gate) => {
    const store = usersIn(folder.path, names);
    stores.push(store);
    const { engine } = await start(greeting(store, gate));
    const { url } = await serve(engine);
    const { body } = await post(`${url}/record_pipelines/greeting/run`);
    const { id } = body['run'] as { readonly id: string };
    return { id, url, events: `${url}/record_pipelines/greeting/runs/${id}/events` };
  };

  it('are told while it goes on, and once more from where a client left, to their end', async () => {
    const gate: Gate = { isOpen: false, failing: new Set() };
    const { id, events } = await started(['Ann', 'Bea'], gate);
    const live = await openEvents(events);
    expect(live.response.headers.get('x-execution-id')).toBe(id);
    const begun = await live.until(({ event }) => event === 'record_pipeline_begun');
    gate.isOpen = true;
    await live.ended;
    const named = live.events.filter(({ id: position }) => position !== undefined);
    expect(named.map(({ event }) => event)).toEqual([
      'record_pipeline_started',
      'record_pipeline_begun',
      'record_pipeline_progress',
      'complete',
    ]);
    expect(named[0]?.data).toEqual({ record_pipeline: 'greeting', run: id });
    expect(named[2]?.data).toMatchObject({
      completed: 2,
      failed: 0,
      records_left: 0,
      queues: { greet: 0 },
    });
    expect(named[3]?.data).toEqual({ result: { run: id, completed: 2, failed: 0 } });

    const rest = await openEvents(events, { headers: { 'last-event-id': begun.id ?? '' } });
    await rest.ended;
    expect(rest.events).toEqual(named.slice(2));
    const over = await send(events, { headers: { 'last-event-id': named[3]?.id ?? '' } });
    expect(over.status).toBe(204);
    expect((await send(events, { method: 'HEAD' })).status).toBe(200);
  });

  it('end with what has failed', async () => {
    const { id, events } = await started(['Ann'], { isOpen: true, failing: new Set(['Ann']) });
    const told = await openEvents(events);
    await told.ended;
    expect(told.events.slice(-2)).toMatchObject([
      {
        event: 'record_pipeline_failed',
        data: { record_pipeline: 'greeting', run: id, status: 'failed' },
      },
      {
        event: 'error',
        data: {
          message: 'user 1 failed in step "greet": AssertionFailure: Ann has no address',
          code: 'RecordsFailed',
        },
      },
    ]);
  });

  it('are not found where Temporal knows no such run', async () => {
    const { url } = await started([], { isOpen: true, failing: new Set() });
    const path = `${url}/record_pipelines/greeting/runs`;
    const { status, body } = await send(`${path}/01JABCDEFGHJKMNPQRSTVWXYZ0/events`);
    expect([status, body['type']]).toEqual([404, 'not_found']);
  });
});
