import { beforeEach, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { HttpServer } from '../../server/http-listener.js';
import { post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

type Document = Record<string, unknown> & {
  readonly paths: Record<
    string,
    Record<string, { readonly operationId: string; readonly responses: Record<string, unknown> }>
  >;
  readonly components: {
    readonly responses: Record<string, { content: Record<string, { example: unknown }> }>;
  };
};

/** Routes of other kinds. */
const OTHERS =
  / \/(?:tasks\/|data_flows|record_pipelines|entity_types|attributes|entities|attribute_pipelines|attribute_runs|attribute_refreshes)\b/;

describe('/openapi.json', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let server: HttpServer;
  let document: Document;
  let ajv: Ajv2020;

  beforeEach(async () => {
    server = await serve(stack.current.engine);
    document = (await send(`${server.url}/openapi.json`)).body as Document;
    ajv = new Ajv2020({
      strict: false,
      validateFormats: false,
      schemas: [{ ...document, $id: 'api:' }],
    });
  });

  const expectValid = (pointer: string, value: unknown): void => {
    const validate = ajv.compile({ $ref: `api:${pointer}` });
    validate(value);
    expect({ pointer, errors: validate.errors }).toEqual({ pointer, errors: null });
  };

  it('is an OpenAPI 3.1 document, as its meta-schema has it', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(document['openapi']).toBe('3.1.0');
  });

  it('has the paths of every exposed pipeline, and names each operation once', () => {
    const paths = Object.keys(document.paths);
    for (const { name } of pipelines) {
      for (const path of [
        '',
        '/stream',
        '/async',
        '/executions',
        '/executions/{execution_id}',
        '/executions/{execution_id}/events',
        '/executions/{execution_id}/cancel',
      ]) {
        expect(paths).toContain(`/pipelines/${name}${path}`);
      }
    }
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(document.paths['/pipelines/report']!['post']!.responses)).toEqual([
      '200',
      '202',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '422',
      '500',
      '503',
      '504',
    ]);
  });

  it('has the routes that docs/http-api.md lists', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/http-api.md'), 'utf8');
    // Those of data flows and of record pipelines are in the document of a project that has some; those of attributes have a test of their own.
    const listed = [...page.matchAll(/^\| `((?:GET|POST) \/[^`]*)`/gm)]
      .map(([, route = '']) => route)
      .filter((route) => !OTHERS.test(route));
    const served = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/pipelines/report') || !path.startsWith('/pipelines/'))
      .flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      )
      .filter((route) => !OTHERS.test(route))
      .map((route) => route.replace('/report', '/:name').replace('{execution_id}', ':id'));
    expect([...listed].sort()).toEqual([...served, 'GET /openapi.json'].sort());
  });

  it('refers to nothing that is not there', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, ref = '']) => ref,
    );
    expect(refs.length).toBeGreaterThan(50);
    for (const ref of new Set(refs)) {
      const target = ref
        .slice(2)
        .split('/')
        .reduce<unknown>(
          (value, part) => (value as Record<string, unknown> | undefined)?.[part],
          document,
        );
      expect({ ref, found: target !== undefined }).toEqual({ ref, found: true });
    }
  });

  it('shows examples that are as it says', () => {
    const examples = Object.values(document.components.responses).flatMap(({ content }) =>
      Object.entries(content),
    );
    for (const [type, { example }] of examples) {
      if (type === 'application/json') expectValid('#/components/schemas/Problem', example);
    }
    expect(examples.length).toBeGreaterThan(10);
  });

  it('describes what is really served', async () => {
    const { url } = server;
    expectValid('#/components/schemas/Health', (await send(`${url}/health`)).body);
    expectValid('#/components/schemas/PipelineList', (await send(`${url}/pipelines`)).body);
    expectValid('#/components/schemas/Pipeline', (await send(`${url}/pipelines/report`)).body);
    const tree = { tree: { children: [{ children: [] }] } };
    expectValid('#/components/schemas/tree.input', tree);
    expect(() =>
      expectValid('#/components/schemas/tree.input', { tree: { children: [{ children: 7 }] } }),
    ).toThrow();
    const done = await post(`${url}/pipelines/tree`, tree);
    expectValid('#/components/schemas/tree.output', done.body['result']);
    expectValid(
      '#/components/schemas/Accepted',
      (await post(`${url}/pipelines/tree/async`, tree)).body,
    );
    for (const name of ['tree', 'doomed', 'late']) {
      const { body } = await post(`${url}/pipelines/${name}`, { ...tree, ms: 20_000 });
      expectValid(
        '#/components/schemas/Execution',
        (await send(`${url}/pipelines/${name}/executions/${String(body['execution_id'])}`)).body,
      );
      if (name !== 'tree') expectValid('#/components/schemas/Problem', body);
    }
    expectValid(
      '#/components/schemas/ExecutionList',
      (await send(`${url}/pipelines/tree/executions`)).body,
    );
    expectValid('#/components/schemas/Problem', (await post(`${url}/pipelines/report`, {})).body);
  });
});
