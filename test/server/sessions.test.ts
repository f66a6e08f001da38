import { describe, expect, it } from '@jest/globals';
import type { ConfigDefinition } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/project-config.js';
import { post, send, useServers, type Answer } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

const OLD = 'an old secret of more than 32 characters';
const NEW = 'a new secret of more than 32 characters';

const bearer = (user: string): Record<string, string> => ({ authorization: `Bearer ${user}` });

/** The cookie that an answer sets, as a browser sends it back. */
function cookieOf({ headers }: Answer): Record<string, string> {
  const [cookie = ''] = headers.getSetCookie();
  return { cookie: cookie.split(';')[0] ?? '' };
}

describe('sessions of browsers', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  const served = async (
    config: ConfigDefinition = {},
    env: Record<string, string> = { SECRET: NEW },
  ): Promise<string> => {
    const users: ConfigDefinition = {
      apiAuthentication: (ctx) => {
        const user = ctx.get('authorization').replace('Bearer ', '');
        if (user === 'large') return { id: 'large', roles: Array<string>(1_000).fill('reader') };
        if (user === 'date') return { id: 'date', since: new Date(0) };
        return user === 'ann' ? { id: 'ann', team: 'blue' } : user === 'bob' ? 'bob' : false;
      },
      authorizeExecution: (ctx, { principal }) => {
        // What the session has kept is all that apiAuthentication has answered.
        const { id, team } = ctx.state['principal'] as {
          readonly id?: string;
          readonly team?: string;
        };
        return team === 'blue' && id === principal;
      },
      sessions: { secret: '${SECRET}' },
      ...config,
    };
    return (await serve(stack.current.engine, users, { env })).url;
  };

  it('are opened by whoever authenticates, and then go without a header, for event streams among others', async () => {
    const url = await served();
    expect((await post(`${url}/session`)).status).toBe(401);
    const opened = await post(`${url}/session`, {}, bearer('ann'));
    expect(opened).toMatchObject({
      status: 201,
      body: { principal: 'ann', expires_at: expect.stringMatching(/^\d{4}-.+Z$/) as unknown },
    });
    const [set = ''] = opened.headers.getSetCookie();
    expect(set).toMatch(
      /^millrace_session=[\w.-]+; path=\/; expires=.+; samesite=strict; httponly$/,
    );
    expect(set).not.toMatch(/ann|blue/);
    expect(opened.headers.get('cache-control')).toBe('no-store');
    const cookie = cookieOf(opened);
    expect((await send(`${url}/session`, { headers: cookie })).body).toEqual(opened.body);
    const { status, body } = await post(`${url}/pipelines/report/async`, { text: 'a b' }, cookie);
    expect(status).toBe(202);
    const execution = `${url}/pipelines/report/executions/${String(body['execution_id'])}`;
    expect((await send(execution, { headers: cookie })).body).toMatchObject({ principal: 'ann' });
    const events = await fetch(`${execution}/events`, {
      headers: { ...cookie, 'sec-fetch-site': 'same-origin' },
    });
    expect(events.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await events.text()).toMatch(/"type":"execution_completed"|event: /);
    expect((await send(execution, { headers: bearer('bob') })).status).toBe(404);
  });

  it('end by DELETE, which takes the cookie away', async () => {
    const url = await served();
    const cookie = cookieOf(await post(`${url}/session`, {}, bearer('bob')));
    const closed = await send(`${url}/session`, { method: 'DELETE', headers: cookie });
    expect(closed.status).toBe(204);
    const [set = ''] = closed.headers.getSetCookie();
    expect(set).toMatch(/^millrace_session=; path=\/; expires=Thu, 01 Jan 1970/);
    expect((await send(`${url}/session`)).status).toBe(401);
  });

  it('end by themselves', async () => {
    const url = await served({ sessions: { secret: '${SECRET}', maxAge: 1 } });
    const cookie = cookieOf(await post(`${url}/session`, {}, bearer('bob')));
    // Times in a token are whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect((await send(`${url}/pipelines`, { headers: cookie })).status).toBe(401);
  });

  it('are not prolonged by themselves, and give way to a header', async () => {
    const url = await served();
    const cookie = cookieOf(await post(`${url}/session`, {}, bearer('bob')));
    expect((await post(`${url}/session`, {}, cookie)).status).toBe(401);
    const both = await post(
      `${url}/pipelines/report/async`,
      { text: 'a' },
      { ...cookie, ...bearer('ann') },
    );
    const execution = `${url}/pipelines/report/executions/${String(both.body['execution_id'])}`;
    expect((await send(execution, { headers: bearer('ann') })).body).toMatchObject({
      principal: 'ann',
    });
    const wrong = { ...cookie, ...bearer('mallory') };
    expect((await send(`${url}/pipelines`, { headers: wrong })).status).toBe(401);
  });

  it('do not count for pages of other sites, unless these are named', async () => {
    const page = 'https://app.example.com';
    const url = await served();
    const cookie = cookieOf(await post(`${url}/session`, {}, bearer('bob')));
    // Another port of the same host is the same site for a browser: SameSite=Strict lets its cookies through.
    for (const site of ['same-site', 'cross-site']) {
      const from = { ...cookie, 'sec-fetch-site': site, origin: page };
      expect((await post(`${url}/pipelines/report`, { text: 'a' }, from)).status).toBe(401);
      expect((await send(`${url}/session`, { headers: from })).status).toBe(401);
      const opened = await post(`${url}/session`, {}, { ...bearer('bob'), ...from });
      expect(opened).toMatchObject({ status: 403, body: { type: 'forbidden' } });
      expect((await send(`${url}/session`, { method: 'DELETE', headers: from })).status).toBe(403);
    }
    const blind = await served({ cors: { origins: [page] } });
    const open = await served({ cors: { origins: [page], credentials: true } });
    const named = { ...cookie, 'sec-fetch-site': 'same-site', origin: page };
    expect((await send(`${blind}/pipelines`, { headers: named })).status).toBe(401);
    expect((await send(`${open}/pipelines`, { headers: named })).status).toBe(200);
  });

  it('are only known to who has their secret; while it is changed, of the old one too', async () => {
    const [old, both, fresh] = [
      await served({}, { SECRET: OLD }),
      await served({ sessions: { secret: ['${SECRET}', '${OLD}'] } }, { SECRET: NEW, OLD }),
      await served(),
    ];
    const cookie = cookieOf(await post(`${old}/session`, {}, bearer('bob')));
    const statuses = async (headers: Record<string, string>) =>
      Promise.all(
        [old, both, fresh].map(async (url) => (await send(`${url}/pipelines`, { headers })).status),
      );
    expect(await statuses(cookie)).toEqual([200, 200, 401]);
    const changed = cookieOf(await post(`${both}/session`, {}, bearer('bob')));
    expect(await statuses(changed)).toEqual([401, 200, 200]);
    const forged = { cookie: `${String(cookie['cookie']).slice(0, -4)}AAAA` };
    expect(await statuses(forged)).toEqual([401, 401, 401]);
    expect(await statuses({ cookie: 'millrace_session=nonsense' })).toEqual([401, 401, 401]);
  });

  it('have Secure cookies wherever a name is not that of this machine', async () => {
    const url = await served();
    const { hostname, port } = new URL(url);
    const { request } = await import('node:http');
    const set = await new Promise<string>((resolve, reject) => {
      const headers = { ...bearer('bob'), host: 'millrace.example.com' };
      request({ hostname, port, path: '/session', method: 'POST', headers }, (response) => {
        response.resume();
        resolve(String(response.headers['set-cookie']));
      })
        .on('error', reject)
        .end();
    });
    expect(set).toMatch(/; secure; httponly$/);
  });

  it.each(['large', 'date'])('refuse a principal that no cookie can hold: %s', async (user) => {
    const url = await served();
    const { status, body, headers } = await post(`${url}/session`, {}, bearer(user));
    expect({ status, body }).toMatchObject({ status: 500, body: { type: 'internal_error' } });
    expect(headers.getSetCookie()).toEqual([]);
  });

  it('are refused where nobody authenticates, and without a long secret', async () => {
    const { problems } = parseConfig({ sessions: { secret: '${SECRET}' } });
    expect(problems.map(({ message }) => message)).toEqual([
      'config: sessions needs apiAuthentication, which says who may have one. Set it, or take sessions out.',
    ]);
    await expect(served({}, { SECRET: 'short' })).rejects.toThrow(
      /^The secret of sessions has less than 32 characters\. Set sessions\.secret/,
    );
    await expect(served({}, {})).rejects.toThrow(/SECRET/);
  });

  it('are described, and there only where they are configured', async () => {
    const url = await served();
    const { body } = await send(`${url}/openapi.json`, { headers: bearer('ann') });
    expect(Object.keys((body['paths'] as Record<string, object>)['/session'] ?? {})).toEqual([
      'get',
      'post',
      'delete',
    ]);
    const { headers, status } = await send(`${url}/session`, { method: 'PUT' });
    expect({ status, allow: headers.get('allow') }).toEqual({
      status: 405,
      allow: 'GET, HEAD, POST, DELETE',
    });
    const without = (await serve(stack.current.engine, {})).url;
    expect((await send(`${without}/session`)).status).toBe(404);
  });
});
