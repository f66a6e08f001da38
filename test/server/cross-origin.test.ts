import { beforeEach, describe, expect, it } from '@jest/globals';
import { openEvents } from '../support/event-client.js';
import { post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();
const APP = 'https://app.example.com';

/** What a browser sends with a request of another site's page; a page cannot set these headers itself. */
const from = (origin: string): Record<string, string> => ({
  origin,
  'sec-fetch-site': 'cross-site',
});

describe('pages of other sites', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let url: string;

  beforeEach(async () => {
    ({ url } = await serve(stack.current.engine, { cors: { origins: [APP], credentials: true } }));
  });

  it('may use the API where their origin is listed, and read its ids and links', async () => {
    const { status, headers } = await post(`${url}/pipelines/report`, { text: 'a' }, from(APP));
    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBe(APP);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    const exposed = headers.get('access-control-expose-headers')?.split(',');
    expect(exposed).toEqual(expect.arrayContaining(['X-Request-Id', 'X-Execution-Id', 'Location']));
    expect(headers.get('vary')).toMatch(/origin/i);
  });

  it('may read errors as well', async () => {
    const { status, headers, body } = await post(`${url}/pipelines/report`, {}, from(APP));
    expect([status, body['type']]).toEqual([422, 'contract_violation']);
    expect(headers.get('access-control-allow-origin')).toBe(APP);
  });

  it('may read event streams', async () => {
    const client = await openEvents(`${url}/pipelines/report/stream`, {
      method: 'POST',
      body: JSON.stringify({ text: 'a' }),
      headers: { 'content-type': 'application/json', ...from(APP) },
    });
    await client.ended;
    expect(client.response.headers.get('access-control-allow-origin')).toBe(APP);
    expect(client.response.headers.get('access-control-expose-headers')).toContain(
      'X-Execution-Id',
    );
    expect(client.events.at(-1)!.event).toBe('complete');
  });

  it('have their preflight requests answered before anybody authenticates', async () => {
    const { url: closed } = await serve(stack.current.engine, {
      cors: { origins: [APP] },
      apiAuthentication: () => false,
    });
    const { status, headers } = await send(`${closed}/pipelines/report/stream`, {
      method: 'OPTIONS',
      headers: {
        ...from(APP),
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,idempotency-key',
      },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(APP);
    expect(headers.get('access-control-allow-methods')).toContain('POST');
    expect(headers.get('access-control-allow-headers')).toBe('content-type,idempotency-key');
    expect(headers.get('access-control-max-age')).toBe('600');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  it.each([
    'https://other.example.com',
    'http://app.example.com',
    'https://app.example.com.evil.example',
    'null',
  ])('are refused where their origin is not listed: %s', async (origin) => {
    const { status, headers } = await post(`${url}/pipelines/report`, { text: 'a' }, from(origin));
    expect(status).toBe(403);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await send(`${url}/pipelines/report`, {
      method: 'OPTIONS',
      headers: { ...from(origin), 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('are refused where the browser says no origin, as for images and links', async () => {
    const { status } = await send(`${url}/pipelines`, {
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(status).toBe(403);
  });
});
