import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { ATTRIBUTE_ROUTES } from '../../server/attributes/route-list.js';
import { useAttributeStacks } from '../support/attribute-stack.js';
import { send, useServers } from '../support/http-api.js';

const start = useAttributeStacks();
const serve = useServers();

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { operationId: string }>>>>;
}

/** Routes as the documentation writes them. */
function routesInDocs(): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/http-api.md'), 'utf8');
  const rows = page.matchAll(
    /^\| `((?:GET|POST|PATCH|PUT|DELETE) \/(?:entity_types|attributes|entities|attribute_pipelines|attribute_runs|attribute_refreshes)\b[^`]*)`/gm,
  );
  return [...rows].map(([, route = '']) => route).sort();
}

describe('/openapi.json of a project that serves attributes', () => {
  it('is valid, describes each route once, and so does the documentation', async () => {
    const { env } = await start({}, {});
    const { url } = await serve(env.engine);
    const document = (await send(`${url}/openapi.json`)).body as unknown as Document;
    const { valid, errors } = await new Validator().validate(
      structuredClone(document) as unknown as Record<string, unknown>,
    );
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { operationId }]) =>
          `${operationId} ${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
      ),
    );
    const routes = ATTRIBUTE_ROUTES.map(({ name, method, path }) => `${name} ${method} ${path}`);
    expect(described).toEqual(expect.arrayContaining(routes));
    const ids = described.map((one) => one.split(' ')[0]);
    expect(new Set(ids).size).toBe(ids.length);
    const served = ATTRIBUTE_ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(routesInDocs()).toEqual(served.sort());
  });

  it('says nothing of them where they are not served', async () => {
    const { env } = await start({}, {});
    const { url } = await serve(env.engine, { attributes: { routes: false } });
    const document = (await send(`${url}/openapi.json`)).body as unknown as Document;
    expect(Object.keys(document.paths)).not.toContain('/entities');
    expect((await send(`${url}/entities`)).status).toBe(404);
  });
});
