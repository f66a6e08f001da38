import { beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigDefinition } from '../../src/config/config.js';
import type { RequestedExecution } from '../../src/config/hooks.js';
import { openEvents } from '../support/event-client.js';
import { post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

/** The example of docs/embedding.md: each principal sees only its own runs. */
const OWN_RUNS: ConfigDefinition = {
  apiAuthentication: (ctx) => ctx.get('x-user') || false,
  authorizeExecution: (ctx, { principal }) => principal === ctx.state['principal'],
};

describe('authorizeExecution', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let url: string;
  const ada = { 'x-user': 'ada' };
  const bob = { 'x-user': 'bob' };

  beforeEach(async () => {
    ({ url } = await serve(stack.current.engine, OWN_RUNS));
  });

  it('lets who started a run see it, stream it and cancel it', async () => {
    const { body } = await post(`${url}/pipelines/slow/async`, { ms: 20_000 }, ada);
    const status = `${url}${String(body['status_url'])}`;
    expect((await send(status, { headers: ada })).body['principal']).toBe('ada');
    const client = await openEvents(`${status}/events`, { headers: ada });
    await client.until(({ event }) => event === 'pipe_started');
    expect((await send(`${status}/cancel`, { method: 'POST', headers: ada })).status).toBe(202);
    await client.ended;
    expect(client.events.at(-1)!.event).toBe('error');
  });

  it('answers others as if there were no such run', async () => {
    const { body } = await post(`${url}/pipelines/slow/async`, { ms: 1_000 }, ada);
    const id = String(body['execution_id']);
    const asBob = async (
      execution: string,
      path: string,
      method = 'GET',
    ): Promise<readonly unknown[]> => {
      const answer = await send(`${url}/pipelines/slow/executions/${execution}${path}`, {
        method,
        headers: { ...bob, 'x-request-id': 'same' },
      });
      return [answer.status, JSON.stringify(answer.body).replaceAll(execution, 'ID')];
    };
    for (const [path, method] of [
      ['', 'GET'],
      ['/events', 'GET'],
      ['/cancel', 'POST'],
    ] as const) {
      const theirs = await asBob(id, path, method);
      expect(theirs[0]).toBe(404);
      expect(theirs).toEqual(await asBob('01JD3M2Z8Q4W6Y9T5R1K7P0XVB', path, method));
    }
    const { body: after } = await send(`${url}${String(body['status_url'])}`, { headers: ada });
    expect(['pending', 'running', 'completed']).toContain(after['status']);
  });

  it('is asked again when a client reconnects to a stream', async () => {
    const { body } = await post(`${url}/pipelines/report`, { text: 'a' }, ada);
    const events = `${url}/pipelines/report/executions/${String(body['execution_id'])}/events`;
    const first = await openEvents(events, { headers: ada });
    await first.ended;
    const after = { 'last-event-id': String(first.events[0]!.id) };
    const again = await openEvents(events, { headers: { ...ada, ...after } });
    await again.ended;
    expect(again.events).toEqual(first.events.slice(1));
    expect((await send(events, { headers: { ...bob, ...after } })).status).toBe(404);
    const last = { 'last-event-id': String(first.events.at(-1)!.id) };
    expect((await send(events, { headers: { ...ada, ...last } })).status).toBe(204);
    expect((await send(events, { headers: { ...bob, ...last } })).status).toBe(404);
  });

  it('leaves out of lists what may not be seen, and keeps the tokens of the pages', async () => {
    const input = { name: 'n', action: 'a', controller: 'c' };
    const since = new Date(Date.now() - 1).toISOString();
    const own = { ada: [] as unknown[], bob: [] as unknown[] };
    for (const user of ['ada', 'bob', 'ada', 'bob', 'ada'] as const) {
      const { body } = await post(`${url}/pipelines/listed`, input, { 'x-user': user });
      own[user].unshift(body['execution_id']);
    }
    const listed = async (user: string, query: string): Promise<Record<string, unknown>> =>
      (
        await send(`${url}/pipelines/listed/executions?started_after=${since}&${query}`, {
          headers: { 'x-user': user },
        })
      ).body;
    const idsOf = ({ executions }: Record<string, unknown>): unknown[] =>
      // The list's own form.
      (executions as Record<string, unknown>[]).map(({ execution_id }) => execution_id);
    // Visibility is eventually consistent, and a list is kept for a second.
    const deadline = Date.now() + 10_000;
    while (idsOf(await listed('ada', '')).length < 3 && Date.now() < deadline) await delay(250);
    expect(idsOf(await listed('ada', ''))).toEqual(own.ada);
    expect(idsOf(await listed('bob', ''))).toEqual(own.bob);
    const pages: unknown[][] = [];
    let token: string | undefined;
    do {
      const page = await listed(
        'bob',
        `limit=2${token === undefined ? '' : `&page_token=${token}`}`,
      );
      pages.push(idsOf(page));
      token = typeof page['next_page_token'] === 'string' ? page['next_page_token'] : undefined;
    } while (token !== undefined);
    expect(pages.flat()).toEqual(own.bob);
    expect(Math.max(...pages.map((page) => page.length))).toBe(1);
  });

  it('is asked before a repeated key attaches to a run', async () => {
    const key = { 'idempotency-key': `key-${String(Date.now())}` };
    const first = await post(`${url}/pipelines/report`, { text: 'a' }, { ...ada, ...key });
    const again = await post(`${url}/pipelines/report`, { text: 'a' }, { ...ada, ...key });
    expect([again.status, again.body['execution_id']]).toEqual([200, first.body['execution_id']]);
    const theirs = await post(`${url}/pipelines/report`, { text: 'a' }, { ...bob, ...key });
    expect(theirs.body['execution_id']).not.toBe(first.body['execution_id']);

    const strict = await serve(stack.current.engine, {
      ...OWN_RUNS,
      authorizeExecution: () => false,
    });
    for (const route of ['', '/stream', '/async']) {
      const answer = await post(
        `${strict.url}/pipelines/report${route}`,
        { text: 'a' },
        { ...ada, ...key },
      );
      expect([answer.status, answer.headers.get('x-execution-id')]).toEqual([404, null]);
    }
  });

  it('is told what is known of the run, and takes nothing but true for a yes', async () => {
    const asked: RequestedExecution[] = [];
    const truthy = await serve(stack.current.engine, {
      apiAuthentication: () => 'ada',
      authorizeExecution: ((_ctx: unknown, execution: RequestedExecution) => {
        asked.push(execution);
        return 'yes';
        // What a JavaScript project could write.
      }) as unknown as () => boolean,
    });
    const { body } = await post(`${truthy.url}/pipelines/report`, { text: 'a' });
    const id = String(body['execution_id']);
    expect((await send(`${truthy.url}/pipelines/report/executions/${id}`)).status).toBe(404);
    expect(asked).toEqual([
      {
        id,
        workflowId: `pipeline/report/${id}`,
        name: 'report',
        status: 'completed',
        principal: 'ada',
        startedAt: expect.any(Date),
        completedAt: expect.any(Date),
      },
    ]);
  });
});
