import { describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import type { ConfigDefinition, HeartbeatSettings } from '../../src/config/config.js';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import type { HttpServer } from '../../server/http-listener.js';
import type { HttpServerOptions } from '../../server/http-server.js';
import { addressMatcher } from '../../server/middleware/ip-allow-list.js';
import { collecting, useFlowStack, type FlowStack } from '../support/flow-stack.js';
import { uniqueFlow } from '../support/flows.js';
import { configOf, post, raw, useServers } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

const TOKEN = 'a-long-random-text';
const HEARTBEAT = '/data_flows/heartbeat';

interface Guarded extends FlowStack {
  readonly server: HttpServer;
  readonly url: string;
  /** What the server has logged. */
  readonly lines: readonly Record<string, unknown>[];
  /** True when a heartbeat has started the flow. */
  readonly hasRun: () => Promise<boolean>;
}

/** A server with one flow that is due. */
async function guarded(
  heartbeat: HeartbeatSettings,
  { config = {}, ...options }: HttpServerOptions & { readonly config?: ConfigDefinition } = {},
): Promise<Guarded> {
  const name = uniqueFlow();
  const stack = await start({
    flows: [
      defineDataFlow({ name, schedule: { heartbeat: { every: '1h' } }, run: () => undefined }),
    ],
    worker: false,
  });
  const lines: Record<string, unknown>[] = [];
  const server = await serve(
    stack.engine,
    { ...config, dataFlows: { heartbeat } },
    { log: collecting(lines), env: { HEARTBEAT_TOKEN: TOKEN }, ...options },
  );
  await stack.flows.list();
  return {
    ...stack,
    server,
    url: `${server.url}${HEARTBEAT}`,
    lines,
    hasRun: async () => (await stack.flows.runs(name, { limit: 1 })).length > 0,
  };
}

const AUTHENTICATED: HeartbeatSettings = {
  authenticationEnabled: true,
  authenticationToken: '${HEARTBEAT_TOKEN}',
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Posts from an address of this machine. */
async function postFrom(
  url: string,
  localAddress: string,
  headers: Record<string, string> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', localAddress, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject);
    sent.end();
  });
}

describe('a heartbeat that is authenticated', () => {
  const refused: readonly (readonly [string, Record<string, string>])[] = [
    ['no token', {}],
    ['an empty token', { 'x-heartbeat-token': '' }],
    ['an empty Bearer', { authorization: 'Bearer ' }],
    ['a wrong token', { 'x-heartbeat-token': 'another' }],
    ['a wrong Bearer', bearer('another')],
    ['the beginning of the token', bearer(TOKEN.slice(0, -1))],
    ['the token and more', bearer(`${TOKEN}x`)],
    ['the reference itself', bearer('${HEARTBEAT_TOKEN}')],
    ['the word undefined', { 'x-heartbeat-token': 'undefined' }],
    ['the token as Basic', { authorization: `Basic ${TOKEN}` }],
    ['a wrong token beside the right Bearer', { 'x-heartbeat-token': 'x', ...bearer(TOKEN) }],
  ];

  it.each(refused)('answers 401 to %s, and starts nothing', async (_what, headers) => {
    const { url, hasRun } = await guarded(AUTHENTICATED);
    const answer = await post(url, {}, headers);
    expect([answer.status, answer.headers.get('www-authenticate'), answer.body]).toMatchObject([
      401,
      'Bearer',
      { success: false, type: 'unauthorized' },
    ]);
    expect(await hasRun()).toBe(false);
  });

  it.each(['X-Heartbeat-Token: TOKEN', 'Authorization: Bearer TOKEN'])(
    'answers 401 to a header that comes twice, though it is right: %s',
    async (header) => {
      const { server, hasRun } = await guarded(AUTHENTICATED);
      const line = header.replace('TOKEN', TOKEN);
      const answer = await raw(
        server,
        [`POST ${HEARTBEAT} HTTP/1.1`, 'Host: localhost', 'Connection: close', line, line]
          .concat('Content-Length: 0', '', '')
          .join('\r\n'),
      );
      expect(answer).toMatch(/^HTTP\/1\.1 401 /);
      expect(await hasRun()).toBe(false);
    },
  );

  it.each([{ 'x-heartbeat-token': TOKEN }, bearer(TOKEN), { authorization: `bearer ${TOKEN}` }])(
    'takes the token: %j',
    async (headers) => {
      const { url, hasRun } = await guarded(AUTHENTICATED);
      expect((await post(url, {}, headers)).body).toMatchObject({ flows_triggered: 1 });
      expect(await hasRun()).toBe(true);
    },
  );

  it('logs who was refused and when, and never a token', async () => {
    const { url, lines } = await guarded(AUTHENTICATED);
    await post(url, {}, bearer('guessed-token'));
    await post(url, {}, bearer(TOKEN));
    const warnings = lines.filter(({ level }) => level === 40);
    expect(warnings).toEqual([
      expect.objectContaining({
        time: expect.any(Number),
        address: '127.0.0.1',
        path: HEARTBEAT,
        reason: 'the token is wrong',
        msg: 'refused: not authenticated',
      }),
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/guessed-token|a-long-random-text/);
  });

  it('asks for the token alone, also where the API has authentication of its own', async () => {
    const { server, url } = await guarded(AUTHENTICATED, {
      config: { apiAuthentication: () => false },
    });
    expect((await post(`${server.url}/pipelines`)).status).toBe(401);
    expect((await post(url, {}, bearer(TOKEN))).status).toBe(200);
    expect((await post(url)).status).toBe(401);
  });

  it('refuses pages of other sites, as other routes do', async () => {
    const { url, hasRun } = await guarded(AUTHENTICATED);
    const headers = { ...bearer(TOKEN), 'sec-fetch-site': 'cross-site' };
    expect((await post(url, {}, headers)).status).toBe(403);
    expect(await hasRun()).toBe(false);
  });

  it('is told of with all other secrets that are missing', async () => {
    const stack = await start({ flows: [], worker: false });
    const config = {
      dataFlows: { heartbeat: AUTHENTICATED },
      apiAuthentication: () => 'somebody',
      sessions: { secret: '${SESSION_SECRET}' },
      approvals: { secret: '${APPROVAL_SECRET}', url: 'http://127.0.0.1' },
    };
    await expect(serve(stack.engine, config, { env: {} })).rejects.toMatchObject({
      name: 'UnresolvedReferences',
      message: expect.stringMatching(/(?=.*SESSION_SECRET)(?=.*APPROVAL_SECRET).*HEARTBEAT_TOKEN/s),
    });
  });

  it('keeps the server from starting where the token is missing or empty', async () => {
    const stack = await start({ flows: [], worker: false });
    const starting = async (config: ConfigDefinition, env: Record<string, string>) =>
      serve(stack.engine, config, { env });
    const dataFlows = { heartbeat: AUTHENTICATED };
    await expect(starting({ dataFlows }, {})).rejects.toMatchObject({
      name: 'UnresolvedReferences',
      message: 'The environment variable HEARTBEAT_TOKEN is not set.',
    });
    await expect(starting({ dataFlows }, { HEARTBEAT_TOKEN: '' })).rejects.toMatchObject({
      name: 'UnresolvedReferences',
    });
    await expect(starting({ dataFlows }, { HEARTBEAT_TOKEN: '   ' })).rejects.toMatchObject({
      name: 'HeartbeatTokenInvalid',
      message: expect.stringContaining('is empty'),
    });
    const secret = { heartbeat: { ...AUTHENTICATED, authenticationToken: 'secret://beat' } };
    await expect(starting({ dataFlows: secret, secrets: () => '' }, {})).rejects.toMatchObject({
      name: 'HeartbeatTokenInvalid',
    });
    await expect(starting({ dataFlows: secret, secrets: () => 'two words' }, {})).rejects.toThrow(
      'characters that a header cannot carry',
    );
    expect(() => configOf({ dataFlows: { heartbeat: { authenticationEnabled: true } } })).toThrow(
      'authenticationEnabled needs a token',
    );
  });

  it("finds the token where the project's secrets are", async () => {
    const { url } = await guarded(
      { ...AUTHENTICATED, authenticationToken: 'secret://beat' },
      { config: { secrets: (name) => `${name}-token` } },
    );
    expect((await post(url, {}, bearer('beat-token'))).status).toBe(200);
  });
});

describe('a heartbeat that is not authenticated', () => {
  it('is processed without any token', async () => {
    const { url, hasRun } = await guarded({});
    expect((await post(url)).status).toBe(200);
    expect(await hasRun()).toBe(true);
  });

  it('is guarded by apiAuthentication where there is one', async () => {
    const { url, hasRun } = await guarded(
      {},
      { config: { apiAuthentication: (ctx) => ctx.get('x-user') } },
    );
    expect((await post(url)).status).toBe(401);
    expect(await hasRun()).toBe(false);
    expect((await post(url, {}, { 'x-user': 'cron' })).status).toBe(200);
  });
});

describe('a heartbeat from some addresses only', () => {
  const only = (...whitelistedIps: string[]): HeartbeatSettings => ({
    ipWhitelistingEnabled: true,
    whitelistedIps,
  });

  it('answers 403 to others, logs their address, and starts nothing', async () => {
    const { url, lines, hasRun } = await guarded(only('10.0.0.0/8', '127.0.0.2'));
    const answer = await post(url);
    expect([answer.status, answer.body['type']]).toEqual([403, 'forbidden']);
    expect(await hasRun()).toBe(false);
    expect(lines.filter(({ level }) => level === 40)).toEqual([
      expect.objectContaining({
        time: expect.any(Number),
        address: '127.0.0.1',
        msg: 'refused: the address is not allowed',
      }),
    ]);
    expect(await postFrom(url, '127.0.0.2')).toBe(200);
    expect(await hasRun()).toBe(true);
  });

  it.each([['127.0.0.1'], ['127.0.0.0/8'], ['0.0.0.0/0'], ['::ffff:127.0.0.0/104']])(
    'lets %s in',
    async (range) => {
      const { url } = await guarded(only(range));
      expect((await post(url)).status).toBe(200);
    },
  );

  it('looks at the address before the token', async () => {
    const { url, hasRun } = await guarded({ ...AUTHENTICATED, ...only('10.0.0.0/8') });
    expect((await post(url, {}, bearer(TOKEN))).status).toBe(403);
    expect((await post(url)).status).toBe(403);
    expect(await hasRun()).toBe(false);
  });

  it('takes an address that a socket for both families tells as IPv6 for what it is', async () => {
    const { server } = await guarded(only('127.0.0.0/8'), { host: '::', insecure: true });
    const url = `http://127.0.0.1:${String(server.port)}${HEARTBEAT}`;
    expect((await post(url)).status).toBe(200);
    const six = `http://[::1]:${String(server.port)}${HEARTBEAT}`;
    expect((await post(six)).status).toBe(403);
  });

  it('does not believe X-Forwarded-For from whom it does not trust', async () => {
    const { url, hasRun } = await guarded(only('203.0.113.0/24'));
    const spoofed = { 'x-forwarded-for': '203.0.113.7' };
    expect((await post(url, {}, spoofed)).status).toBe(403);
    expect(await hasRun()).toBe(false);
  });

  it('believes the proxies that it trusts, and of the header only what they have added', async () => {
    const { url, lines } = await guarded({
      ...only('203.0.113.0/24'),
      trustProxy: ['127.0.0.1', '10.0.0.0/8'],
    });
    const statusOf = async (forwarded: string): Promise<number> =>
      (await post(url, {}, { 'x-forwarded-for': forwarded })).status;
    expect(await statusOf('203.0.113.7')).toBe(200);
    expect(await statusOf('203.0.113.7, 10.1.2.3')).toBe(200);
    // The client has written the first one itself.
    expect(await statusOf('203.0.113.7, 198.51.100.9')).toBe(403);
    expect(await statusOf('nonsense')).toBe(403);
    expect(await statusOf('')).toBe(403);
    // Another peer of ours, which is no proxy.
    expect(await postFrom(url, '127.0.0.2', { 'x-forwarded-for': '203.0.113.7' })).toBe(403);
    const told = lines.filter(({ level }) => level === 40).map(({ address }) => address);
    expect(told).toEqual(['198.51.100.9', 'nonsense', '127.0.0.1', '127.0.0.2']);
  });
});

describe('addresses and ranges', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '::ffff:a00:1', true],
    ['10.0.0.1', '10.0.0.10', false],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['::ffff:10.0.0.0/104', '10.1.1.1', true],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:DB8:0:0::1', '2001:db8::1', true],
    ['::/0', '10.0.0.1', false],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['0.0.0.0/0', '', false],
    ['0.0.0.0/0', 'nonsense', false],
    ['127.0.0.1', '127.0.0.1, 10.0.0.1', false],
  ];

  it.each(cases)('%s holds %s: %p', (range, address, holds) => {
    expect(addressMatcher([range])(address)).toBe(holds);
  });

  it('are refused where they are none', () => {
    expect(() => addressMatcher(['10.0.0.0/33'])).toThrow(TypeError);
  });
});
