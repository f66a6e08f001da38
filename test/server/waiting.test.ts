import { beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { HttpServer } from '../../server/http-listener.js';
import { post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

describe('waiting for a run', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let server: HttpServer;
  let url: string;

  beforeEach(async () => {
    server = await serve(stack.current.engine);
    url = `${server.url}/pipelines`;
  });

  const statusOf = async (name: string, id: string): Promise<unknown> =>
    (await send(`${url}/${name}/executions/${id}`)).body['status'];

  const eventually = async (look: () => Promise<unknown>, wanted: unknown): Promise<void> => {
    for (let tries = 0; tries < 100 && (await look()) !== wanted; tries += 1) await delay(50);
    expect(await look()).toBe(wanted);
  };

  /** Posts, and cuts the connection once the run has started. Returns the id of its execution. */
  const postAndLeave = async (path: string, key: string): Promise<string> => {
    const input = { ms: 1_500 };
    const socket = connect(server.port, server.host);
    const body = JSON.stringify(input);
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: ${key}\r\n` +
        `Content-Length: ${String(body.length)}\r\n\r\n${body}`,
    );
    const { body: attached } = await post(`${url}/slow/async`, input, { 'idempotency-key': key });
    const id = String(attached['execution_id']);
    await eventually(() => statusOf('slow', id), 'running');
    socket.destroy();
    return id;
  };

  it('answers with the result when it comes within Prefer: wait', async () => {
    const { status, headers, body } = await post(
      `${url}/report`,
      { text: 'a' },
      { prefer: 'wait=20' },
    );
    expect([status, headers.get('preference-applied')]).toEqual([200, 'wait=20']);
    expect(body['success']).toBe(true);
  });

  it('answers 202 with where to look when it does not, and the run goes on', async () => {
    const { status, headers, body } = await post(
      `${url}/slow`,
      { ms: 1_500 },
      { prefer: 'wait=1' },
    );
    const path = `/pipelines/slow/executions/${String(body['execution_id'])}`;
    expect(status).toBe(202);
    expect(body).toEqual({
      execution_id: expect.any(String),
      status: 'running',
      status_url: path,
      events_url: `${path}/events`,
    });
    expect(headers.get('preference-applied')).toBe('wait=1');
    expect(headers.get('location')).toBe(path);
    expect(headers.get('retry-after')).toBe('1');
    await eventually(() => statusOf('slow', String(body['execution_id'])), 'completed');
  });

  it('answers at once for wait=0 and respond-async', async () => {
    for (const prefer of ['wait=0', 'respond-async', 'return=minimal, wait="0"']) {
      const { status, headers } = await post(`${url}/slow`, { ms: 200 }, { prefer });
      expect(status).toBe(202);
      expect(headers.get('preference-applied')).toMatch(/^(wait=0|respond-async)$/);
    }
  });

  it('ignores a preference that it does not understand', async () => {
    const { status, headers } = await post(
      `${url}/report`,
      { text: 'a' },
      { prefer: 'wait=soon; x="', 'x-y': '1' },
    );
    expect([status, headers.get('preference-applied')]).toEqual([200, null]);
  });

  it('waits no longer than the server does, whatever is preferred', async () => {
    const impatient = await serve(stack.current.engine, { server: { maxWait: 1_000 } });
    const target = `${impatient.url}/pipelines/slow`;
    expect((await post(target, { ms: 2_000 })).status).toBe(202);
    const preferred = await post(target, { ms: 2_000 }, { prefer: 'wait=600' });
    expect([preferred.status, preferred.headers.get('preference-applied')]).toEqual([
      202,
      'wait=1',
    ]);
  });

  it('answers 202 when the server stops while a client waits', async () => {
    const stopping = await serve(stack.current.engine);
    const answer = post(`${stopping.url}/pipelines/slow`, { ms: 1_500 });
    await delay(300);
    await stopping.stop();
    const { status, body } = await answer;
    expect(status).toBe(202);
    await eventually(() => statusOf('slow', String(body['execution_id'])), 'completed');
  });

  it('lets a run go on when its client leaves', async () => {
    const id = await postAndLeave('/pipelines/slow', ulid());
    await eventually(() => statusOf('slow', id), 'completed');
  });

  it.each(['/pipelines/slow', '/pipelines/slow/stream'])(
    'cancels the run when its client leaves %s, if asked to',
    async (path) => {
      const id = await postAndLeave(`${path}?on_disconnect=cancel`, ulid());
      await eventually(() => statusOf('slow', id), 'cancelled');
    },
  );

  it('cancels no run because its server stops', async () => {
    const stopping = await serve(stack.current.engine);
    const headers = { 'idempotency-key': ulid() };
    const answer = post(
      `${stopping.url}/pipelines/slow?on_disconnect=cancel`,
      { ms: 1_500 },
      headers,
    ).catch(() => 'cut off');
    await delay(300);
    const { body } = await post(`${url}/slow/async`, { ms: 1_500 }, headers);
    await stopping.stop(0);
    await answer;
    await eventually(() => statusOf('slow', String(body['execution_id'])), 'completed');
  });

  it('answers 400 for another on_disconnect', async () => {
    expect((await post(`${url}/report?on_disconnect=explode`, { text: 'a' })).status).toBe(400);
  });

  it('gives its long polls back when nobody waits any more', async () => {
    const { engine } = stack.current;
    const run = await engine.start('slow', { ms: 1_500 });
    const leaving = new AbortController();
    const waits = [run.result({ signal: leaving.signal }), run.result()];
    leaving.abort(new Error('left'));
    await expect(waits[0]).rejects.toThrow('left');
    expect(await waits[1]).toEqual({ ms: 1_500, waited: 1_500 });
  });
});

describe('a request with an Idempotency-Key', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let url: string;
  let key: string;

  beforeEach(async () => {
    const principals: Record<string, string> = { alice: 'alice', bob: 'bob' };
    const server = await serve(stack.current.engine, {
      apiAuthentication: (ctx) => principals[ctx.get('x-user') || 'alice'] ?? false,
    });
    url = `${server.url}/pipelines`;
    key = ulid();
  });

  it('starts one run, though it is sent a hundred times at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        post(`${url}/report`, { text: 'a b' }, { 'idempotency-key': key }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body['execution_id'])).size).toBe(1);
    const replayed = answers.filter(
      ({ headers }) => headers.get('idempotency-replayed') === 'true',
    );
    expect(replayed).toHaveLength(99);
    expect(answers[0]!.body['result']).toEqual({ text: 'A B', words: 2 });
  });

  it('attaches to the run on every route, also when that is over', async () => {
    const headers = { 'idempotency-key': key };
    const first = await post(`${url}/report`, { text: 'a' }, headers);
    const later = await post(`${url}/report/async`, { text: 'a' }, headers);
    expect(later.body['execution_id']).toBe(first.body['execution_id']);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(later.headers.get('idempotency-replayed')).toBe('true');
    const stream = await fetch(`${url}/report/stream`, {
      method: 'POST',
      body: JSON.stringify({ text: 'a' }),
      headers: { 'content-type': 'application/json', ...headers },
    });
    expect(stream.headers.get('x-execution-id')).toBe(first.body['execution_id']);
    expect(await stream.text()).toContain('event: complete');
  });

  it('is refused with 422 for other content or another webhook', async () => {
    const headers = { 'idempotency-key': key };
    const first = await post(`${url}/report`, { text: 'a' }, headers);
    const webhook = 'webhook_url=https://example.com/hook';
    for (const answer of [
      await post(`${url}/report`, { text: 'b' }, headers),
      await post(`${url}/report?${webhook}`, { text: 'a' }, headers),
    ]) {
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({
        success: false,
        type: 'idempotency_conflict',
        execution_id: first.body['execution_id'],
      });
    }
  });

  it('belongs to a pipeline and a principal', async () => {
    const headers = { 'idempotency-key': key };
    const ids = [
      await post(`${url}/report/async`, { text: 'a' }, headers),
      await post(`${url}/report/async`, { text: 'a' }, { ...headers, 'x-user': 'bob' }),
      await post(`${url}/keeper/async`, { name: 'n', action: 'a', controller: 'c' }, headers),
    ].map(({ body }) => body['execution_id']);
    expect(new Set(ids).size).toBe(3);
  });

  it('is refused with 400 when it is empty or too long', async () => {
    for (const wrong of ['', 'k'.repeat(256)]) {
      expect(
        (await post(`${url}/report`, { text: 'a' }, { 'idempotency-key': wrong })).status,
      ).toBe(400);
    }
  });
});

describe('a webhook', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let url: string;

  beforeEach(async () => {
    const server = await serve(
      stack.current.engine,
      {},
      {
        checkWebhookUrl: ({ hostname }) => {
          if (hostname === 'forbidden.example')
            throw new Error('webhook_url: forbidden.example is not allowed.');
        },
      },
    );
    url = `${server.url}/pipelines`;
  });

  // Nothing listens there: that the delivery fails is nothing to these tests.
  const hook = 'http://127.0.0.1:9/hook?token=1';

  it('is taken from the query, the header, or the body, where it is not part of the input', async () => {
    const answers = [
      await post(`${url}/report/async?webhook_url=${encodeURIComponent(hook)}`, { text: 'a' }),
      await post(`${url}/report/async`, { text: 'a' }, { 'webhook-url': hook }),
      await post(`${url}/report/async`, { text: 'a', webhook_url: hook }),
    ];
    for (const { status, body } of answers)
      expect([status, body['webhook_url']]).toEqual([202, hook]);
    const { body } = await post(`${url}/report`, { text: 'a', webhook_url: hook });
    expect(body['result']).toEqual({ text: 'A', words: 1 });
  });

  it('in the body is the input where the contract has such a property', async () => {
    const { body } = await post(`${url}/caller`, { webhook_url: 'no url at all' });
    expect(body['result']).toMatchObject({ called: 'no url at all' });
  });

  it.each([
    'ftp://example.com/',
    'example.com',
    'javascript:alert(1)',
    `https://example.com/${'x'.repeat(2_000)}`,
    7,
  ])('is refused with 422 when it is %s', async (webhook_url) => {
    const { status, body } = await post(`${url}/report`, { text: 'a', webhook_url });
    expect(status).toBe(422);
    expect(body).toMatchObject({ success: false, type: 'invalid_webhook_url' });
  });

  it('is refused with 422 when its address is', async () => {
    const { status, body } = await post(`${url}/report?webhook_url=https://forbidden.example/`, {
      text: 'a',
    });
    expect(status).toBe(422);
    expect(body['error']).toBe('webhook_url: forbidden.example is not allowed.');
  });
});
