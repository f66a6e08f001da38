import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { post, send, useServers, type Answer } from '../support/http-api.js';
import { greeting, useRecordStacks, usersIn, type Gate } from '../support/record-stack.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const folder = useTemporaryDirectory();
const serve = useServers();
const start = useRecordStacks();

type Document = Record<string, unknown> & {
  readonly paths: Record<string, Record<string, { readonly operationId: string }>>;
  readonly components: {
    readonly responses: Record<string, { readonly content: Record<string, { example?: unknown }> }>;
  };
};

/** Routes as the documentation writes them. */
function routesInDocs(): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/http-api.md'), 'utf8');
  return [...page.matchAll(/^\| `((?:GET|POST) \/record_pipelines[^`]*)`/gm)]
    .map(([, route = '']) => route)
    .sort();
}

function routesOf({ paths }: Document): readonly string[] {
  return Object.entries(paths)
    .filter(([path]) => path.startsWith('/record_pipelines'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    .map((route) => route.replace(/\{(\w+)\}/g, ':$1').replace(':run_id', ':id'))
    .sort();
}

describe('/openapi.json of a project with record pipelines', () => {
  const stores: ReturnType<typeof usersIn>[] = [];
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });

  it('is valid, and describes what is served and answered', async () => {
    const gate: Gate = { isOpen: true, failing: new Set(['Bea']) };
    const store = usersIn(folder.path, ['Ann', 'Bea']);
    stores.push(store);
    const { engine } = await start(greeting(store, gate));
    const { url } = await serve(engine, { apiAuthentication: (ctx) => ctx.get('x-user') });
    const headers = { 'x-user': 'ann' };
    const get = (path: string): Promise<Answer> => send(`${url}${path}`, { headers });
    const document = (await get('/openapi.json')).body as Document;
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(routesOf(document)).toEqual(routesInDocs());
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
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
    const path = '/record_pipelines/greeting';
    const options = { queue: false };
    expectValid('RecordRunRequest', options);
    const started = await post(`${url}${path}/run`, options, headers);
    expectValid('RecordRunAccepted', started.body);
    const { id } = started.body['run'] as { readonly id: string };
    const run = `${path}/runs/${id}`;
    await until(async () => ((await get(run)).body['error'] === null ? undefined : true));
    expectValid('RecordRunDetails', (await get(run)).body);
    expectValid('RecordRunList', (await get(`${path}/runs`)).body);
    expectValid('RecordFailureList', (await get(`${run}/failures`)).body);
    expectValid('RecordPipelineList', (await get('/record_pipelines')).body);
    expectValid('RecordPipelineDetails', (await get(path)).body);
    expectValid('RecordList', (await get(`${path}/records/user?limit=1`)).body);
    const made = await post(`${url}${path}/versions`, {}, headers);
    expectValid('RecordVersionMade', made.body);
    expectValid('RecordVersionList', (await get(`${path}/versions?limit=1`)).body);
    const version = `${path}/versions/${(made.body['version'] as { readonly id: string }).id}`;
    expectValid('RecordVersion', (await get(version)).body);
    store.user.find(1).update({ name: 'Anna' });
    const diff = await get(version.replace('/versions/', '/diff?before='));
    expectValid('RecordDiff', diff.body);
    expectValid(
      'RecordVersionRestored',
      (await post(`${url}${version}/restore`, {}, headers)).body,
    );
    const problems = [
      await get('/record_pipelines/nobody'),
      await post(`${url}${run}/cancel`, {}, headers),
      await get(`${path}/records/user?where={"a":1}`),
      await get(`${path}/diff`),
      await send(`${url}${path}`),
    ];
    expect(problems.map(({ status }) => status)).toEqual([404, 409, 422, 400, 401]);
    for (const { body } of problems) expectValid('Problem', body);
    for (const { content } of Object.values(document.components.responses)) {
      const example = content['application/json']?.example;
      if (example !== undefined) expectValid('Problem', example);
    }
  });

  it('has none of them where they are not served', async () => {
    const store = usersIn(folder.path, []);
    stores.push(store);
    const { engine } = await start(greeting(store));
    const { url } = await serve(engine, { recordPipelines: { routes: false } });
    const document = (await send(`${url}/openapi.json`)).body as Document;
    expect(routesOf(document)).toEqual([]);
  });
});
