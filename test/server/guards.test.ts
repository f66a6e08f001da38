import { describe, expect, it } from '@jest/globals';
import { createRouter, healthRoute, pipelineRoutes } from '../../server/embedding.js';
import type { HttpServer } from '../../server/http-listener.js';
import type { ConfigDefinition } from '../../src/config/config.js';
import { post, raw, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();
const APP = 'https://app.example.com';

/** The first line of the answer to a form that a browser sends. */
async function form(
  server: HttpServer,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const body = 'text=a';
  const head = Object.entries({
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': String(body.length),
    Connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  const answer = await raw(server, `POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`);
  return answer.split('\r\n', 1)[0]!;
}

const FORBIDDEN = 'HTTP/1.1 403 Forbidden';
const OK = 'HTTP/1.1 200 OK';

describe('a server that asks nobody who they are', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();

  describe('with routers of the project', () => {
    const PATHS = ['/summary', '/ai/report', '/keyed'];
    let started: number;

    const withRouters = async (config: ConfigDefinition = {}): Promise<HttpServer> => {
      const { engine } = stack.current;
      started = 0;
      const beforeExecute = (): undefined => {
        started += 1;
      };
      const routes = [
        pipelineRoutes('report', { engine, path: '/summary', beforeExecute }),
        createRouter(engine, { path: '/ai', beforeExecute }),
        pipelineRoutes('report', {
          engine,
          path: '/keyed',
          beforeExecute,
          apiAuthentication: () => 'ada',
        }),
        healthRoute({ path: '/up' }),
      ];
      return serve(engine, config, { routes });
    };

    it('starts nothing there for a page of another site', async () => {
      const server = await withRouters();
      const local = `127.0.0.1:${String(server.port)}`;
      for (const path of PATHS) {
        const crossing = { Host: local, 'Sec-Fetch-Site': 'cross-site' };
        expect([path, await form(server, path, crossing)]).toEqual([path, FORBIDDEN]);
      }
      expect(started).toBe(0);
      for (const path of PATHS) expect(await form(server, path, { Host: local })).toBe(OK);
      expect(started).toBe(PATHS.length);
    });

    it("starts nothing there for another host's name", async () => {
      const server = await withRouters();
      for (const path of PATHS)
        expect([path, await form(server, path, { Host: 'evil.example' })]).toEqual([
          path,
          FORBIDDEN,
        ]);
      expect(started).toBe(0);
      const lookedAt = await raw(
        server,
        'GET /up HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      );
      expect(lookedAt).toContain(FORBIDDEN);
      expect(lookedAt).toMatch(/x-request-id: \w+/i);
    });

    it('lets pages of listed origins use them', async () => {
      const { url } = await withRouters({ cors: { origins: [APP] } });
      const { status, headers } = await post(
        `${url}/summary`,
        { text: 'a' },
        { origin: APP, 'sec-fetch-site': 'cross-site' },
      );
      expect([status, headers.get('access-control-allow-origin')]).toEqual([200, APP]);
    });

    it('leaves them to themselves once the configuration asks who makes a request', async () => {
      const server = await withRouters({ apiAuthentication: () => false });
      const crossing = { Host: 'api.example.com', 'Sec-Fetch-Site': 'cross-site' };
      expect(await form(server, '/keyed', crossing)).toBe(OK);
      expect((await send(`${server.url}/pipelines`)).status).toBe(401);
    });
  });

  describe('where the browser says only the origin of a page, as over plain HTTP', () => {
    it.each([
      'http://evil.example',
      'http://api.example.com.evil.example',
      'http://api.example.com:8080',
      'https://app.example.com.evil.example',
      'http://localhost',
      'null',
      'nonsense',
    ])('refuses a page of %s', async (origin) => {
      const server = await serve(
        stack.current.engine,
        { cors: { origins: [APP] } },
        { insecure: true },
      );
      const headers = { Host: 'api.example.com', Origin: origin };
      expect(await form(server, '/pipelines/report', headers)).toBe(FORBIDDEN);
    });

    it.each([
      ['of the server itself', 'api.example.com', 'http://api.example.com'],
      ['of the server at its port', 'api.example.com:8080', 'http://api.example.com:8080'],
      ['behind a proxy that ends TLS', 'API.example.com', 'https://api.example.com'],
      ['of an address', '[fd00::1]:8787', 'http://[fd00::1]:8787'],
      ['of a listed origin', 'api.example.com', APP],
    ])('lets a page in %s', async (_what, host, origin) => {
      const server = await serve(
        stack.current.engine,
        { cors: { origins: [APP] } },
        { insecure: true },
      );
      expect(await form(server, '/pipelines/report', { Host: host, Origin: origin })).toBe(OK);
    });

    it('lets clients in that are no browsers and say none', async () => {
      const server = await serve(stack.current.engine, {}, { insecure: true });
      expect(await form(server, '/pipelines/report', { Host: 'api.example.com' })).toBe(OK);
    });

    it('believes the browser that says more', async () => {
      const server = await serve(stack.current.engine, {}, { insecure: true });
      const said = async (site: string, origin: string): Promise<string> =>
        form(server, '/pipelines/report', {
          Host: 'inner:8787',
          Origin: origin,
          'Sec-Fetch-Site': site,
        });
      // A proxy may ask for the server by a name of its own.
      expect(await said('same-origin', 'https://api.example.com')).toBe(OK);
      expect(await said('same-site', 'http://inner:8787')).toBe(FORBIDDEN);
    });
  });
});
