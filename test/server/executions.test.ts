import { beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Engine } from '../../engine/engine.js';
import { post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

describe('executions', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let url: string;

  beforeEach(async () => {
    const { code, taskQueue, engine } = stack.current;
    const linked = new Engine({
      client: engine.temporal.client,
      taskQueue,
      code,
      uiUrl: 'http://ui.example:8233/',
    });
    url = `${(await serve(linked)).url}/pipelines`;
  });

  const finished = async (name: string, id: unknown): Promise<Record<string, unknown>> => {
    for (;;) {
      const { body } = await send(`${url}/${name}/executions/${String(id)}`);
      if (body['status'] !== 'running' && body['status'] !== 'pending') return body;
      await delay(50);
    }
  };

  it('are started without waiting, and tell their status until there is a result', async () => {
    const { status, body, headers } = await post(`${url}/slow/async`, { ms: 700 });
    const path = `/pipelines/slow/executions/${String(body['execution_id'])}`;
    expect(status).toBe(202);
    expect(body).toEqual({
      execution_id: expect.any(String),
      status: 'pending',
      status_url: path,
      events_url: `${path}/events`,
    });
    expect(headers.get('location')).toBe(path);
    const running = await send(new URL(path, url).href);
    expect(running.body).toMatchObject({
      pipe_name: 'slow',
      started_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(running.body).not.toHaveProperty('result');
    expect(running.body).not.toHaveProperty('completed_at');
    expect(await finished('slow', body['execution_id'])).toEqual({
      execution_id: body['execution_id'],
      pipe_name: 'slow',
      status: 'completed',
      result: { ms: 700, waited: 700 },
      started_at: expect.any(String),
      completed_at: expect.any(String),
      stages: [
        {
          name: 'wait',
          state: 'completed',
          started_at: expect.any(String),
          completed_at: expect.any(String),
          namespace_count: 1,
          operations: [
            {
              name: 'wait',
              type: 'wait',
              state: 'completed',
              started_at: expect.any(String),
              duration_ms: expect.any(Number),
              attempts: 1,
            },
          ],
        },
      ],
      usage: [],
      status_url: path,
      events_url: `${path}/events`,
      temporal_url: expect.stringMatching(
        /^http:\/\/ui\.example:8233\/namespaces\/default\/workflows\/pipeline%2Fslow%2F\w+\/[\w-]+\/history$/,
      ),
    });
  });

  it('tell how they failed', async () => {
    const { body } = await post(`${url}/doomed/async`);
    expect(await finished('doomed', body['execution_id'])).toMatchObject({
      status: 'failed',
      error: {
        type: 'execution_error',
        message: 'no such customer',
        code: 'PermanentError',
        stage: 'only',
        operation: 'refuse',
        details: { id: 7 },
      },
    });
  });

  it('that took too long have timed out', async () => {
    const { body } = await post(`${url}/late/async`, { ms: 20_000 });
    expect(await finished('late', body['execution_id'])).toMatchObject({
      status: 'timed_out',
      error: { type: 'timeout' },
    });
  });

  it('are pending until a worker takes them', async () => {
    const { code, engine } = stack.current;
    const idle = new Engine({
      client: engine.temporal.client,
      taskQueue: 'nobody-polls-this',
      code,
    });
    const other = await serve(idle);
    const { body } = await post(
      `${other.url}/pipelines/report`,
      { text: 'a' },
      { prefer: 'wait=0' },
    );
    expect(body['status']).toBe('pending');
    const { status } = await send(`${other.url}${String(body['status_url'])}/cancel`, {
      method: 'POST',
    });
    expect(status).toBe(202);
    await engine.temporal.client.workflow
      .getHandle(`pipeline/report/${String(body['execution_id'])}`)
      .terminate('end of the test');
  });

  it('are found only under their own pipeline', async () => {
    const { body } = await post(`${url}/report`, { text: 'a' });
    const id = String(body['execution_id']);
    expect((await send(`${url}/report/executions/${id}`)).status).toBe(200);
    for (const path of [
      `slow/executions/${id}`,
      `slow/executions/${id}/events`,
      'report/executions/nope',
      'report/executions/a%2Fb',
      `report/executions/${'x'.repeat(2_000)}`,
      'report/executions/%00',
      'report/executions/..%2f..%2fslow',
    ]) {
      const answer = await send(`${url}/${path}`);
      expect({ path, status: answer.status }).toEqual({ path, status: 404 });
      expect(answer.body).toMatchObject({ success: false, error: 'Execution not found' });
    }
    expect((await post(`${url}/slow/executions/${id}/cancel`)).status).toBe(404);
    expect((await send(`${url}/nope/executions/${id}`)).body['error']).toBe(
      'Pipeline not found: nope',
    );
  });

  it('are cancelled', async () => {
    const { body } = await post(`${url}/slow/async`, { ms: 20_000 });
    const path = `${url}/slow/executions/${String(body['execution_id'])}`;
    const cancelled = await send(`${path}/cancel`, { method: 'POST' });
    expect(cancelled.status).toBe(202);
    expect(cancelled.body).toMatchObject({
      execution_id: body['execution_id'],
      status_url: body['status_url'],
    });
    expect(await finished('slow', body['execution_id'])).toMatchObject({
      status: 'cancelled',
      error: { code: 'cancelled' },
    });
    const again = await send(`${path}/cancel`, { method: 'POST' });
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({
      success: false,
      type: 'execution_closed',
      status: 'cancelled',
    });
  });

  describe('in a list', () => {
    const listed = async (query: string): Promise<Record<string, unknown>[]> => {
      const { status, body } = await send(`${url}/listed/executions?${query}`);
      expect(status).toBe(200);
      return body['executions'] as Record<string, unknown>[];
    };

    it('come newest first, by status and time, page by page', async () => {
      const input = { name: 'n', action: 'a', controller: 'c' };
      const since = new Date(Date.now() - 1).toISOString();
      const ids: unknown[] = [];
      for (let count = 0; count < 5; count += 1)
        ids.unshift((await post(`${url}/listed`, input)).body['execution_id']);
      // Visibility is eventually consistent, and a list is kept for a second.
      for (
        let tries = 0;
        tries < 40 &&
        (await listed(`started_after=${since}&limit=100&status=completed`)).length < 5;
        tries += 1
      ) {
        await delay(250);
      }
      const all = await listed(`started_after=${since}&limit=100&status=completed`);
      expect(all.map(({ execution_id }) => execution_id)).toEqual(ids);
      expect(all[0]).toEqual({
        execution_id: ids[0],
        pipe_name: 'listed',
        status: 'completed',
        started_at: expect.any(String),
        completed_at: expect.any(String),
        status_url: `/pipelines/listed/executions/${String(ids[0])}`,
        events_url: `/pipelines/listed/executions/${String(ids[0])}/events`,
      });
      expect(await listed(`started_before=2001-01-01T00:00:00Z`)).toEqual([]);
      expect(await listed(`started_after=${since}&status=failed`)).toEqual([]);

      const pages: unknown[] = [];
      let token: unknown = '';
      do {
        const next = token === '' ? '' : `&page_token=${String(token)}`;
        const { body } = await send(
          `${url}/listed/executions?started_after=${since}&limit=2${next}`,
        );
        pages.push(
          ...(body['executions'] as Record<string, unknown>[]).map(
            ({ execution_id }) => execution_id,
          ),
        );
        token = body['next_page_token'];
      } while (token !== undefined);
      expect(pages).toEqual(ids);
    });

    it("tell a pipeline's own timeout from other failures, in each row and for each filter", async () => {
      const since = new Date(Date.now() - 1).toISOString();
      const late = await post(`${url}/late`, { ms: 20_000 });
      const doomed = await post(`${url}/doomed`);
      expect([late.status, doomed.status]).toEqual([504, 500]);
      const rows = async (name: string, query: string): Promise<unknown[][]> => {
        const { body } = await send(
          `${url}/${name}/executions?started_after=${since}&limit=100&${query}`,
        );
        // The list's own form.
        return (body['executions'] as Record<string, unknown>[]).map(({ execution_id, status }) => [
          execution_id,
          status,
        ]);
      };
      const lateRow = [late.body['execution_id'], 'timed_out'];
      const doomedRow = [doomed.body['execution_id'], 'failed'];
      // Visibility is eventually consistent, and a list is kept for a second.
      const deadline = Date.now() + 10_000;
      while (
        Date.now() < deadline &&
        ((await rows('late', 'status=timed_out')).length < 1 ||
          (await rows('doomed', 'status=failed')).length < 1)
      ) {
        await delay(250);
      }
      expect(await rows('late', '')).toEqual([lateRow]);
      expect(await rows('late', 'status=timed_out')).toEqual([lateRow]);
      expect(await rows('late', 'status=failed')).toEqual([]);
      expect(await rows('doomed', 'status=failed')).toEqual([doomedRow]);
      expect(await rows('doomed', 'status=timed_out')).toEqual([]);
      expect(await finished('late', lateRow[0])).toMatchObject({ status: 'timed_out' });
    });

    it.each([
      'status=odd',
      'limit=0',
      'limit=101',
      'limit=x',
      'started_after=yesterday',
      'started_before=2026-99-99',
      'page_token=%22',
      'page_token=bm9uc2Vuc2U',
    ])('answer 400 for %s', async (query) => {
      const { status, body } = await send(`${url}/listed/executions?${query}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ success: false, type: 'invalid_request' });
    });
  });
});
