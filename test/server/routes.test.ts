import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { ConfigDefinition } from '../../src/config/config.js';
import { openEvents } from '../support/event-client.js';
import { post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

/** The parts of an OpenAPI document that are looked at here. */
type Paths = Record<string, Record<string, { readonly operationId: string }>>;

describe('routes of the configuration', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  const served = async (config: ConfigDefinition): Promise<string> =>
    (await serve(stack.current.engine, { catchAllRoutes: false, ...config })).url;

  it('serve pipelines at paths of their own, and no others', async () => {
    const url = await served({
      routes: [
        { pipeline: 'report', path: '/ai/report/', stream: true, async: true },
        { pipeline: 'keeper' },
      ],
    });
    const { body } = await post(`${url}/ai/report`, { text: 'a' });
    expect(body['result']).toEqual({ text: 'A', words: 1 });
    expect((await send(`${url}/keeper`)).body['name']).toBe('keeper');
    expect((await post(`${url}/keeper/async`)).status).toBe(404);
    const elsewhere = await post(`${url}/pipelines/report`, { text: 'a' });
    expect(elsewhere.status).toBe(404);
    expect(elsewhere.body['error']).toContain('routes');
    expect((await send(`${url}/ai/report`, { method: 'DELETE' })).status).toBe(405);
  });

  it('show their own paths in what a run links to, and can be followed there', async () => {
    const url = await served({
      routes: [{ pipeline: 'report', path: '/ai/report', stream: true, async: true }],
    });
    const { body, headers } = await post(`${url}/ai/report/async`, { text: 'a' });
    const path = `/ai/report/executions/${String(body['execution_id'])}`;
    expect(body).toMatchObject({ status_url: path, events_url: `${path}/events` });
    expect(headers.get('location')).toBe(path);
    const client = await openEvents(`${url}${path}/events`);
    await client.ended;
    expect(client.events.at(-1)!.event).toBe('complete');
    expect((await send(`${url}${path}`)).body).toMatchObject({
      status: 'completed',
      status_url: path,
    });
  });

  it('are what the OpenAPI document describes, each operation under a name of its own', async () => {
    const url = await served({
      catchAllRoutes: true,
      routes: [{ pipeline: 'report', path: '/ai/report', async: true }],
    });
    const only = await served({ routes: [{ pipeline: 'report', path: '/ai/report' }] });
    const document = (await send(`${url}/openapi.json`)).body;
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    // The document was just found valid.
    const paths = document['paths'] as Paths;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/pipelines/report/stream', '/ai/report', '/ai/report/async']),
    );
    expect(paths).not.toHaveProperty(['/ai/report/stream']);
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    const ownPaths = (await send(`${only}/openapi.json`)).body['paths'] as Paths;
    expect(Object.keys(ownPaths)).toEqual([
      '/health',
      '/ready',
      '/pipelines',
      '/tasks',
      '/ai/report',
    ]);
  });

  it('are met as they are written: capital letters make another path', async () => {
    const url = await served({
      catchAllRoutes: true,
      routes: [
        { pipeline: 'report', path: '/Health' },
        { pipeline: 'keeper', path: '/PIPELINES/report' },
        { pipeline: 'slow', path: '/ai/slow' },
      ],
    });
    expect((await send(`${url}/Health`)).body['name']).toBe('report');
    expect((await send(`${url}/health`)).body['status']).toBe('ok');
    expect((await send(`${url}/PIPELINES/report`)).body['name']).toBe('keeper');
    expect((await send(`${url}/pipelines/report`)).body['name']).toBe('report');
    expect((await send(`${url}/ai/slow`)).status).toBe(200);
    for (const path of ['/AI/slow', '/ai/Slow', '/Pipelines', '/Pipelines/report', '/OpenAPI.json'])
      expect([path, (await send(`${url}${path}`)).status]).toEqual([path, 404]);
  });

  it('authenticate like the others', async () => {
    const url = await served({ routes: [{ pipeline: 'report' }], apiAuthentication: () => false });
    expect((await post(`${url}/report`, { text: 'a' })).status).toBe(401);
  });

  it('count their event streams together', async () => {
    const url = await served({
      routes: [
        { pipeline: 'slow', stream: true },
        { pipeline: 'report', stream: true },
      ],
      server: { sseClients: 1 },
    });
    const client = await openEvents(`${url}/slow/stream`, {
      method: 'POST',
      body: JSON.stringify({ ms: 1_500 }),
      headers: { 'content-type': 'application/json' },
    });
    await client.until(({ event }) => event === 'pipe_started');
    expect((await post(`${url}/report/stream`, { text: 'a' })).status).toBe(503);
    await client.ended;
  });
});
