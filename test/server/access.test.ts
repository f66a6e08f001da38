import { describe, expect, it } from '@jest/globals';
import { definePipeline } from '../../src/pipeline/pipeline.js';
import type { ConfigDefinition } from '../../src/config/config.js';
import { pipelineRoutes } from '../../server/embedding.js';
import { post, send, useServers } from '../support/http-api.js';
import { codeOf, useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

describe('access to the HTTP API', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  const served = async (config: ConfigDefinition): Promise<string> =>
    (await serve(stack.current.engine, config)).url;

  describe('authentication', () => {
    const users: ConfigDefinition = {
      apiAuthentication: async (ctx) => {
        const user = ctx.get('authorization').replace('Bearer ', '');
        return user === 'alice' ? 'alice' : user === 'bob' ? { id: 'bob', team: 'blue' } : false;
      },
    };

    it('answers 401 on every route to who is not known', async () => {
      const url = await served(users);
      const paths = [
        ['GET', '/health'],
        ['GET', '/ready'],
        ['GET', '/pipelines'],
        ['GET', '/openapi.json'],
        ['GET', '/pipelines/report'],
        ['GET', '/pipelines/nope'],
        ['POST', '/pipelines/report'],
        ['POST', '/pipelines/report/stream'],
        ['POST', '/pipelines/report/async'],
        ['GET', '/pipelines/report/executions'],
        ['GET', '/pipelines/report/executions/1'],
        ['GET', '/pipelines/report/executions/1/events'],
        ['POST', '/pipelines/report/executions/1/cancel'],
      ] as const;
      for (const [method, path] of paths) {
        const { status, body, headers } = await send(`${url}${path}`, { method });
        expect({ path, status }).toEqual({ path, status: 401 });
        expect(body).toMatchObject({ success: false, error: 'Unauthorized', type: 'unauthorized' });
        expect(headers.get('www-authenticate')).toBe('Bearer');
      }
    });

    it('refuses pages of other sites where nobody authenticates, and lets the person and other clients in', async () => {
      const open = await served({});
      const closed = await served(users);
      const from = async (
        url: string,
        site: string,
        more: Record<string, string> = {},
      ): Promise<number> =>
        (await post(`${url}/pipelines/report`, { text: 'a' }, { 'sec-fetch-site': site, ...more }))
          .status;

      expect(await from(open, 'cross-site')).toBe(403);
      expect(await from(open, 'same-origin')).toBe(200);
      expect(await from(open, 'none')).toBe(200);
      expect(await from(closed, 'cross-site', { authorization: 'Bearer alice' })).toBe(200);
    });

    it('refuses a webhook whose address is not public before a run is started, unless the configuration allows it', async () => {
      const strict = await served({});
      const lenient = await served({ webhooks: { allow: ['127.0.0.0/8'] } });
      const asked = async (url: string, hook: string): Promise<number> =>
        (
          await post(`${url}/pipelines/report?webhook_url=${encodeURIComponent(hook)}`, {
            text: 'a',
          })
        ).status;

      const refused = [
        'http://127.0.0.1:9/',
        'http://localhost/',
        'http://[::1]/',
        'http://169.254.169.254/',
        'http://2130706433/',
        'http://[::ffff:10.0.0.1]/',
      ];
      for (const hook of refused) expect([hook, await asked(strict, hook)]).toEqual([hook, 422]);
      expect(await asked(lenient, 'http://127.0.0.1:9/')).toBe(200);
      expect(await asked(lenient, 'http://10.0.0.1/')).toBe(422);
    });

    it('tells beforeExecute who asks', async () => {
      const asked: unknown[] = [];
      const url = await served({
        ...users,
        beforeExecute: (_name, _input, ctx) => {
          asked.push(ctx.state['principal']);
          return undefined;
        },
      });
      await post(`${url}/pipelines/report`, { text: 'a' }, { authorization: 'Bearer bob' });
      expect(asked).toEqual([{ id: 'bob', team: 'blue' }]);
    });

    it('records who started a run', async () => {
      const url = await served(users);
      for (const user of ['alice', 'bob']) {
        const authorization = `Bearer ${user}`;
        const { body } = await post(`${url}/pipelines/report`, { text: 'a' }, { authorization });
        const status = await send(
          `${url}/pipelines/report/executions/${String(body['execution_id'])}`,
          { headers: { authorization } },
        );
        expect(status.body['principal']).toBe(user);
      }
    });

    it('answers 500 when the hook throws or answers with nonsense, and tells nothing of it', async () => {
      const wrong: unknown[] = [
        () => {
          throw new Error('the secret is 42');
        },
        () => 42,
        () => ({ email: 'a@b.c' }),
      ];
      for (const hook of wrong) {
        // A project in JavaScript has no types to keep it from this.
        const url = await served({
          apiAuthentication: hook as NonNullable<ConfigDefinition['apiAuthentication']>,
        });
        const { status, body } = await send(`${url}/pipelines`);
        expect(status).toBe(500);
        expect(body).toEqual({
          success: false,
          error: 'Internal server error',
          type: 'internal_error',
          request_id: expect.any(String),
        });
      }
    });

    it('passes on what a hook says by status and expose', async () => {
      const url = await served({
        apiAuthentication: () => {
          throw Object.assign(new Error('Token expired'), { status: 401, expose: true });
        },
      });
      const { status, body } = await send(`${url}/pipelines`);
      expect([status, body['error'], body['type']]).toEqual([401, 'Token expired', 'unauthorized']);
    });
  });

  describe('beforeExecute', () => {
    it('sees each checked request on every route that starts a run, and may refuse it', async () => {
      const seen: unknown[] = [];
      const url = await served({
        beforeExecute: async (name, input, ctx) => {
          seen.push([name, input, ctx.get('x-tenant')]);
          if (input['text'] === 'forbidden') return false;
          if (input['text'] === 'poor') return { status: 402, error: 'Payment required' };
          if (input['text'] === 'broken') throw new Error('the secret is 42');
          return undefined;
        },
      });
      for (const path of ['', '/stream', '/async']) {
        const target = `${url}/pipelines/report${path}`;
        const answer = async (text: unknown): Promise<unknown[]> => {
          const { status, body } = await post(target, { text }, { 'x-tenant': 't' });
          return [status, body['error'], body['type']];
        };
        expect(await answer('forbidden')).toEqual([403, 'Forbidden', 'rejected']);
        expect(await answer('poor')).toEqual([402, 'Payment required', 'rejected']);
        expect(await answer('broken')).toEqual([500, 'Internal server error', 'internal_error']);
        expect((await answer(7))[0]).toBe(422);
        expect(seen.splice(0)).toEqual([
          ['report', { text: 'forbidden' }, 't'],
          ['report', { text: 'poor' }, 't'],
          ['report', { text: 'broken' }, 't'],
        ]);
      }
      expect((await post(`${url}/pipelines/report`, { text: 'fine' })).status).toBe(200);
    });
  });

  describe('exposePipes', () => {
    it('shows nothing but what it names', async () => {
      const url = await served({ exposePipes: ['report', 'not-there'] });
      const { body } = await send(`${url}/pipelines`);
      expect((body['pipelines'] as { name: string }[]).map(({ name }) => name)).toEqual(['report']);
      expect((await send(`${url}/pipelines/report`)).status).toBe(200);
      const run = await stack.current.engine.start('slow', { ms: 100 });
      const paths = [
        ['GET', ''],
        ['POST', ''],
        ['POST', '/stream'],
        ['POST', '/async'],
        ['GET', '/executions'],
        ['GET', `/executions/${run.executionId}`],
        ['GET', `/executions/${run.executionId}/events`],
        ['POST', `/executions/${run.executionId}/cancel`],
      ] as const;
      for (const [method, path] of paths) {
        const answer = await send(`${url}/pipelines/slow${path}`, { method });
        expect({ path, status: answer.status }).toEqual({ path, status: 403 });
        expect(answer.body).toMatchObject({
          success: false,
          error: 'Pipeline not accessible',
          type: 'forbidden',
        });
      }
      expect(await run.result()).toEqual({ ms: 100, waited: 100 });
    });

    it('shows nothing at all when it is none', async () => {
      const url = await served({ exposePipes: 'none', attributes: { routes: false } });
      expect((await send(`${url}/pipelines`)).body).toEqual({ pipelines: [] });
      expect((await post(`${url}/pipelines/report`, { text: 'a' })).status).toBe(403);
      expect(Object.keys((await send(`${url}/openapi.json`)).body['paths'] as object)).toEqual([
        '/health',
        '/ready',
        '/pipelines',
        '/tasks',
      ]);
    });
  });

  describe('without catchAllRoutes', () => {
    it('serves no pipeline that is not routed explicitly', async () => {
      const { engine } = stack.current;
      const routes = [pipelineRoutes('report', { engine, path: '/summary' })];
      const { url } = await serve(engine, { catchAllRoutes: false }, { routes });
      const answer = await post(`${url}/pipelines/report`, { text: 'a' });
      expect(answer.status).toBe(404);
      expect(answer.body['error']).toContain('catchAllRoutes');
      expect((await send(`${url}/pipelines`)).status).toBe(200);
      expect((await post(`${url}/summary`, { text: 'a' })).status).toBe(200);
    });
  });

  it('serves what a reload has brought, at once', async () => {
    const { engine, code } = stack.current;
    const url = await served({});
    const registry = code.registry;
    const renamed = codeOf({
      operations,
      pipelines: [...pipelines, definePipeline({ ...pipelines[0]!, name: 'reloaded' })],
    });
    code.replace(renamed.registry, new Map());
    expect((await send(`${url}/pipelines/reloaded`)).status).toBe(200);
    code.replace(registry, new Map());
    expect((await send(`${url}/pipelines/reloaded`)).status).toBe(404);
    expect(engine.definitions.has('reloaded')).toBe(false);
  });
});
