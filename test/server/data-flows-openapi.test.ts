import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { useFlowStack } from '../support/flow-stack.js';
import { listSink, listSource, numbered, runToEnd, uniqueFlow } from '../support/flows.js';
import { post, send, useServers } from '../support/http-api.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const start = useFlowStack(temporal);
const serve = useServers();

type Document = Record<string, unknown> & {
  readonly paths: Record<string, Record<string, { readonly operationId: string }>>;
};

/** Two flows, of which the first rejects rows. */
function defined() {
  const [timed, beating] = [uniqueFlow('a'), uniqueFlow('b')];
  const flows = [
    defineDataFlow({
      name: timed,
      schedule: { every: '1h' },
      configuration: z.object({ level: z.number().default(1) }),
      source: listSource(() => numbered(6)),
      reads: z.object({ number: z.number().max(3) }),
      sink: listSink([]),
    }),
    defineDataFlow({
      name: beating,
      schedule: { heartbeat: { every: '1h' } },
      run: () => undefined,
    }),
  ];
  return { flows, timed, beating };
}

/** Routes as the documentation writes them. */
function routesInDocs(): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/http-api.md'), 'utf8');
  return [...page.matchAll(/^\| `((?:GET|POST|PATCH) \/data_flows[^`]*)`/gm)]
    .map(([, route = '']) => route)
    .sort();
}

function routesOf({ paths }: Document): readonly string[] {
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/data_flows'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    .map((route) => route.replace(/\{(\w+)\}/g, ':$1').replace(':run_id', ':id'))
    .sort();
}

describe('/openapi.json of a project with data flows', () => {
  it('is valid, and describes what is served and answered', async () => {
    const { flows: definitions, timed, beating } = defined();
    const { engine, flows } = await start({ flows: definitions });
    const { url } = await serve(engine);
    const document = (await send(`${url}/openapi.json`)).body as Document;
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(routesOf(document)).toEqual(routesInDocs());
    const ajv = new Ajv2020({
      strict: false,
      validateFormats: false,
      schemas: [{ ...document, $id: 'api:' }],
    });
    const expectValid = (schema: string, value: unknown): void => {
      const validate = ajv.compile({ $ref: `api:#/components/schemas/${schema}` });
      validate(value);
      expect({ schema, errors: validate.errors }).toEqual({ schema, errors: null });
    };
    await runToEnd(flows, timed);
    const path = `${url}/data_flows/${timed}`;
    expectValid('DataFlowReset', { cursor: { id: 7 } });
    expectValid('DataFlow', (await post(`${path}/reset`, { cursor: { id: 7 } })).body);
    expectValid('DataFlowList', (await send(`${url}/data_flows`)).body);
    expectValid('DataFlow', (await send(path)).body);
    expectValid('DataFlowSchedule', (await send(`${path}/schedule`)).body);
    expectValid('DataFlowRunList', (await send(`${path}/runs`)).body);
    expectValid('DataFlowRun', (await send(`${path}/runs/1`)).body);
    expectValid('DataFlowRejectionList', (await send(`${path}/runs/1/rejections?limit=1`)).body);
    expectValid('DataFlowRunAccepted', (await post(`${path}/run`)).body);
    expectValid('DataFlowHeartbeat', (await post(`${url}/data_flows/heartbeat`)).body);
    const day = { start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:30:00Z' };
    expectValid('DataFlowRange', day);
    expectValid('DataFlowBackfill', (await post(`${path}/backfill`, day)).body);
    const problems = [
      await send(`${url}/data_flows/nobody`),
      await send(`${url}/data_flows/${beating}/schedule`),
      await post(`${path}/runs/1/cancel`),
      await post(path, { level: 1 }, {}, { method: 'PATCH' }),
    ];
    expect(problems.map(({ status }) => status)).toEqual([404, 409, 409, 422]);
    for (const { body } of problems) expectValid('Problem', body);
  });

  it('names each route of data flows once, the heartbeat where it is', async () => {
    const { flows } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine, { dataFlows: { heartbeat: { endpointPath: '/cron' } } });
    const { paths } = (await send(`${url}/openapi.json`)).body as Document;
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(served.filter((route) => /data_flows|cron/.test(route)).sort()).toEqual([
      'GET /data_flows',
      'GET /data_flows/{name}',
      'GET /data_flows/{name}/runs',
      'GET /data_flows/{name}/runs/{run_id}',
      'GET /data_flows/{name}/runs/{run_id}/events',
      'GET /data_flows/{name}/runs/{run_id}/rejections',
      'GET /data_flows/{name}/schedule',
      'PATCH /data_flows/{name}',
      'POST /cron',
      'POST /data_flows/{name}/backfill',
      'POST /data_flows/{name}/pause',
      'POST /data_flows/{name}/reset',
      'POST /data_flows/{name}/resume',
      'POST /data_flows/{name}/run',
      'POST /data_flows/{name}/runs/{run_id}/cancel',
    ]);
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has the heartbeat alone where the API is not served', async () => {
    const { flows } = defined();
    const { engine } = await start({ flows, worker: false });
    const { url } = await serve(engine, { dataFlows: { routes: false } });
    const { paths } = (await send(`${url}/openapi.json`)).body as Document;
    expect(Object.keys(paths).filter((path) => path.startsWith('/data_flows'))).toEqual([
      '/data_flows/heartbeat',
    ]);
  });
});
