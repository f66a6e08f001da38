import { hostname } from 'node:os';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Engine } from '../../engine/engine.js';
import { post, send, useServers, type Answer } from '../support/http-api.js';
import { greeting, useRecordStacks, usersIn, type Gate } from '../support/record-stack.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const folder = useTemporaryDirectory();
const serve = useServers();
const start = useRecordStacks();

/** Waits until a run has a status. */
async function statusOf(run: string, status: string): Promise<Answer['body']> {
  return until(async () => {
    const { body } = await send(run);
    return body['status'] === status ? body : undefined;
  });
}

function idOf({ body }: Answer): string {
  return (body['run'] as { readonly id: string }).id;
}

describe('record pipelines over HTTP', () => {
  const closed: (() => void)[] = [];
  afterEach(() => {
    for (const close of closed.splice(0)) close();
  });

  function stored(names: readonly string[]) {
    const store = usersIn(folder.path, names);
    closed.push(() => {
      store.close();
    });
    return store;
  }

  it('are listed, and shown with what is in their store', async () => {
    const { engine } = await start(greeting(stored(['Ann', 'Bea'])));
    const { url } = await serve(engine);
    const { status, headers, body } = await send(`${url}/record_pipelines`);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    const pipeline = {
      name: 'greeting',
      description: 'Greets users.',
      processor: { kind: 'sync' },
      on_error: 'continue',
      max_errors: 100,
      timeout_ms: 604_800_000,
      steps: [{ label: 'greet', max_passes: 10, timeout_ms: 600_000 }],
      record_types: [
        {
          name: 'user',
          table: 'users',
          columns: expect.arrayContaining([
            { name: 'name', kind: 'text', nullable: false },
            { name: 'born', kind: 'date', nullable: true },
          ]),
          links: { records: '/record_pipelines/greeting/records/user' },
        },
        expect.objectContaining({ name: 'note' }),
      ],
      links: {
        self: '/record_pipelines/greeting',
        run: '/record_pipelines/greeting/run',
        runs: '/record_pipelines/greeting/runs',
        versions: '/record_pipelines/greeting/versions',
        diff: '/record_pipelines/greeting/diff',
      },
    };
    expect(body).toEqual({ record_pipelines: [pipeline] });
    expect((await send(`${url}/record_pipelines/greeting`)).body).toEqual({
      ...pipeline,
      store: {
        reachable: true,
        id: expect.stringMatching(/^[0-9A-Z]{26}$/),
        host: hostname(),
        dir: folder.path,
        bytes: expect.any(Number),
        counts: { user: 2, note: 0 },
        versions: 0,
        active_run: null,
        error: null,
      },
    });
    const head = await fetch(`${url}/record_pipelines/greeting`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    const missing = await send(`${url}/record_pipelines/greetings`);
    expect([missing.status, missing.body]).toMatchObject([
      404,
      {
        type: 'not_found',
        error: 'There is no record pipeline "greetings". Did you mean "greeting"?',
      },
    ]);
  });

  it('are served where recordPipelines.routes says so, and as catchAllRoutes unless it says anything', async () => {
    const { engine } = await start(greeting(stored([])));
    const statusWith = async (config: object): Promise<number> =>
      (await send(`${(await serve(engine, config)).url}/record_pipelines`)).status;
    expect(await statusWith({ catchAllRoutes: true })).toBe(200);
    expect(await statusWith({ catchAllRoutes: false })).toBe(404);
    expect(await statusWith({ catchAllRoutes: false, recordPipelines: { routes: true } })).toBe(
      200,
    );
    expect(await statusWith({ catchAllRoutes: true, recordPipelines: { routes: false } })).toBe(
      404,
    );
  });

  it('answer other methods with 405 and what there is', async () => {
    const { engine } = await start(greeting(stored([])));
    const { url } = await serve(engine);
    const allowed: readonly (readonly [string, string, string])[] = [
      ['POST', '/record_pipelines', 'GET, HEAD'],
      ['DELETE', '/record_pipelines/greeting', 'GET, HEAD'],
      ['GET', '/record_pipelines/greeting/run', 'POST'],
      ['DELETE', '/record_pipelines/greeting/versions', 'GET, HEAD, POST'],
      ['GET', '/record_pipelines/greeting/versions/x/restore', 'POST'],
      ['POST', '/record_pipelines/greeting/diff', 'GET, HEAD'],
      ['GET', '/record_pipelines/greeting/runs/x/cancel', 'POST'],
    ];
    for (const [method, path, allow] of allowed) {
      const { status, headers } = await send(`${url}${path}`, { method });
      expect([method, path, status, headers.get('allow')]).toEqual([method, path, 405, allow]);
    }
  });

  describe('a run', () => {
    const run = async (engine: Engine, body: object = {}, headers = {}) => {
      const { url } = await serve(engine, {
        ...('x-user' in headers && { apiAuthentication: (ctx) => ctx.get('x-user') }),
      });
      const answer = await post(`${url}/record_pipelines/greeting/run`, body, headers);
      return { url, answer, path: `${url}/record_pipelines/greeting/runs` };
    };

    it('is started, and told with what it has come to', async () => {
      const gate: Gate = { isOpen: true, failing: new Set(['Bea', 'Cid']) };
      const { engine } = await start(greeting(stored(['Ann', 'Bea', 'Cid', 'Dan']), gate));
      const { answer, path } = await run(engine);
      const id = idOf(answer);
      expect([answer.status, answer.headers.get('location')]).toEqual([
        202,
        `/record_pipelines/greeting/runs/${id}`,
      ]);
      expect(answer.body).toMatchObject({
        run: { id, record_pipeline: 'greeting', status: 'in_progress' },
        links: {
          self: `/record_pipelines/greeting/runs/${id}`,
          events: `/record_pipelines/greeting/runs/${id}/events`,
          failures: `/record_pipelines/greeting/runs/${id}/failures`,
          cancel: `/record_pipelines/greeting/runs/${id}/cancel`,
          record_pipeline: '/record_pipelines/greeting',
        },
      });
      await statusOf(`${path}/${id}`, 'failed');
      // The store is told first, then Temporal.
      const told = await until(async () => {
        const { body } = await send(`${path}/${id}`);
        return body['error'] === null ? undefined : body;
      });
      expect(told).toMatchObject({
        status: 'failed',
        completed: 2,
        failed: 2,
        workflow_id: `record_pipeline/greeting/${id}`,
        error: { type: 'RecordsFailed', message: expect.stringContaining('user 2 failed') },
        principal: null,
        store_error: null,
      });
      expect(Object.keys(told['links'] as object)).not.toContain('cancel');
      const first = await send(`${path}/${id}/failures?limit=1`);
      expect(first.body).toMatchObject({
        failures: [
          {
            step: 'greet',
            record: 'user',
            record_id: 2,
            name: 'AssertionFailure',
            message: 'Bea has no address',
            stack: expect.stringContaining('AssertionFailure'),
          },
        ],
        next_after: expect.any(String),
      });
      const next = `${path}/${id}/failures?after=${String(first.body['next_after'])}`;
      const second = await send(next);
      expect(second.body).toMatchObject({ failures: [{ record_id: 3 }] });
      expect(second.body).not.toHaveProperty('next_after');
      expect((await send(`${path}/${id}/failures?after=abc`)).status).toBe(422);
      // What has failed is tried again alone.
      gate.failing.clear();
      const again = await run(engine, { retry_failed: true }, { 'x-user': 'ann' });
      const retried = `${again.path}/${idOf(again.answer)}`;
      const done = await until(async () => {
        const { body } = await send(retried, { headers: { 'x-user': 'ann' } });
        return body['status'] === 'success' ? body : undefined;
      });
      expect(done).toMatchObject({ completed: 2, failed: 0, principal: 'ann', error: null });
      const listed = await send(`${path}?limit=1`);
      expect(listed.body).toMatchObject({ runs: [{ id: done['id'] }], next_before: done['id'] });
      const older = await send(`${path}?before=${String(done['id'])}`);
      expect(older.body).toMatchObject({ runs: [{ id, status: 'failed', failed: 2 }] });
      expect(older.body).not.toHaveProperty('next_before');
    });

    it('is refused with 409 while another one works on the store, or waits for it as asked', async () => {
      const gate: Gate = { isOpen: false, failing: new Set() };
      const store = stored(['Ann']);
      const { engine } = await start(greeting(store, gate), greeting(store, gate, 'other'));
      const { url, answer, path } = await run(engine);
      const id = idOf(answer);
      for (const name of ['greeting', 'other']) {
        const refused = await post(`${url}/record_pipelines/${name}/run`);
        expect([refused.status, refused.body]).toMatchObject([
          409,
          { type: 'store_busy', run_id: id, started_at: expect.stringMatching(/^20/) },
        ]);
      }
      const waiting = await post(`${url}/record_pipelines/greeting/run`, { queue: true });
      expect([waiting.status, waiting.body]).toMatchObject([202, { run: { status: 'pending' } }]);
      expect((await send(`${path}/${idOf(waiting)}`)).body).toMatchObject({ status: 'pending' });
      expect((await send(`${url}/record_pipelines/other`)).body).toMatchObject({
        store: { active_run: { id, record_pipeline: 'greeting' } },
      });
      gate.isOpen = true;
      await statusOf(`${path}/${id}`, 'success');
      expect(await statusOf(`${path}/${idOf(waiting)}`, 'success')).toMatchObject({ completed: 0 });
      // A run is found under its own pipeline only.
      expect((await send(`${url}/record_pipelines/other/runs/${id}`)).status).toBe(404);
    });

    it('is cancelled, once', async () => {
      const { engine } = await start(
        greeting(stored(['Ann']), { isOpen: false, failing: new Set() }),
      );
      const { answer, path } = await run(engine);
      const one = `${path}/${idOf(answer)}`;
      const cancelled = await post(`${one}/cancel`);
      expect([cancelled.status, cancelled.body]).toMatchObject([
        202,
        { run: { status: 'in_progress' }, links: { self: expect.any(String) } },
      ]);
      await statusOf(one, 'cancelled');
      const again = await post(`${one}/cancel`);
      expect([again.status, again.body]).toMatchObject([
        409,
        { type: 'execution_closed', status: 'cancelled' },
      ]);
    });

    it('that was ended from outside is told as interrupted', async () => {
      const { engine } = await start(
        greeting(stored(['Ann']), { isOpen: false, failing: new Set() }),
      );
      const { answer, path } = await run(engine);
      const { client } = engine.temporal;
      await client.workflow.getHandle(`record_pipeline/greeting/${idOf(answer)}`).terminate('gone');
      expect(await statusOf(`${path}/${idOf(answer)}`, 'interrupted')).toMatchObject({
        error: { type: 'terminated' },
      });
    });

    it('refuses what does not fit, and runs that there are not', async () => {
      const { engine } = await start(greeting(stored([])));
      const { url } = await serve(engine);
      const at = `${url}/record_pipelines/greeting`;
      const wrong = await post(`${at}/run`, { queue: 'yes', retry_failed: 1, now: true });
      expect([wrong.status, wrong.body]).toMatchObject([
        422,
        { type: 'contract_violation', violations: [{ path: 'now' }] },
      ]);
      const flags = await post(`${at}/run`, { queue: 'yes', retry_failed: null });
      expect(flags.body).toMatchObject({
        violations: [
          { path: 'queue', message: "Property 'queue' expected boolean, got string" },
          { path: 'retry_failed', got: 'null' },
        ],
      });
      expect((await post(`${url}/record_pipelines/nobody/run`)).status).toBe(404);
      for (const id of ['01JABCDEFGHJKMNPQRSTVWXYZ0', 'x', '..%2f..']) {
        expect([id, (await send(`${at}/runs/${id}`)).status]).toEqual([id, 404]);
        expect([id, (await send(`${at}/runs/${id}/failures`)).status]).toEqual([id, 404]);
        expect([id, (await post(`${at}/runs/${id}/cancel`)).status]).toEqual([id, 404]);
      }
      expect((await send(`${at}/runs?limit=0`)).status).toBe(400);
      expect((await send(`${at}/runs?before=x`)).status).toBe(400);
    });
  });
});
