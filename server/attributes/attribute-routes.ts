import type { Router, RouterContext } from '@koa/router';
import type { Context } from 'koa';
import { isCatalogAway } from '../../adapters/catalog/catalog-away.js';
import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import { EditConflict } from '../../src/attribute-pipeline/catalog-errors.js';
import { ContractViolation, violationsOf } from '../../src/contract/violation.js';
import type { Json } from '../../src/definition/json.js';
import { suggestion } from '../../src/definition/suggestion.js';
import type { Api } from '../api-options.js';
import { HttpProblem } from '../http-problem.js';
import { permit } from '../middleware/authorization.js';
import { readInput } from '../middleware/body.js';
import { within, type Around } from '../middleware/chain.js';
import { methodNotAllowed } from '../middleware/method.js';
import { pathAbove } from '../request-path.js';
import type { EventStreams } from '../sse.js';
import { typesOfEntities, type AttributeRequest } from './attribute-request.js';
import type { AttributeRoute } from './attribute-route.js';
import { ATTRIBUTE_ROUTES } from './route-list.js';

/** Where the routes of attributes are. */
export interface AttributeMount {
  /** What comes before `/entity_types` and the others; empty at the root. */
  readonly path: string;
  /** What runs around each handler. */
  readonly around: readonly Around[];
}

/** Adds the routes of entities, attributes and their pipelines to a router. */
export function addAttributeRoutes(
  router: Router,
  api: Api,
  streams: EventStreams,
  { path, around }: AttributeMount,
): void {
  const routes = ATTRIBUTE_ROUTES;
  const paths = [...new Set(routes.map((one) => one.path))];
  for (const below of paths) {
    const full = `${path}${below}`;
    const ofPath = routes.filter((one) => one.path === below);
    for (const one of ofPath)
      router[one.method](
        one.name,
        full,
        within(around, (ctx) => serve(ctx, { api, streams }, one, ofPath)),
      );
    const methods = ofPath.map(({ method }) => method.toUpperCase());
    router.all(full, within(around, methodNotAllowed(methods)));
  }
}

async function serve(
  ctx: Context,
  { api, streams }: Pick<AttributeRequest, 'api' | 'streams'>,
  route: AttributeRoute,
  ofPath: readonly AttributeRoute[],
): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  refuseUnknownParameters(ctx, route);
  // The router has put them there.
  const { params } = ctx as RouterContext;
  const depth = route.path.split('/').length - 1;
  const body = route.body === undefined ? undefined : await readBody(ctx, api, route);
  try {
    const attributes = await api.engine.attributes();
    const asked: AttributeRequest = {
      ctx,
      api,
      streams,
      attributes,
      params,
      base: pathAbove(ctx, depth),
    };
    await authorize(asked, route, body);
    const request = { ...asked, params: await withEntityId(attributes, params) };
    answer(ctx, route, await answered(request, route, ofPath, body));
  } catch (error) {
    if (!isCatalogAway(error)) throw error;
    throw new HttpProblem(503, 'unavailable', 'The catalog cannot be reached. Try again.', {
      headers: { 'Retry-After': '2' },
      cause: error,
    });
  }
}

/** Asks the hook about each entity type that a request is about. @throws {@link HttpProblem} 403, {@link NotFound} */
async function authorize(
  request: AttributeRequest,
  route: AttributeRoute,
  body: unknown,
): Promise<void> {
  const { ctx, api, attributes, params } = request;
  const { authorizeAttributes: hook } = api.settings;
  if (hook === undefined) return;
  const { access } = route;
  const types =
    route.entityTypes === undefined
      ? await typesInPath(attributes, params)
      : await route.entityTypes(request, body);
  if (types.length === 0) await permit(ctx, hook, { access });
  for (const entityType of types) await permit(ctx, hook, { access, entityType });
}

/** Entities may be named by type and key; handlers get ids. @throws {@link NotFound} */
async function withEntityId(
  attributes: Attributes,
  params: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const { entity } = params;
  return entity === undefined ? params : { ...params, entity: await attributes.entityId(entity) };
}

/** What is misspelt would be left out of account, and nobody would know. @throws {@link HttpProblem} 400 */
function refuseUnknownParameters(ctx: Context, { query = {} }: AttributeRoute): void {
  const known = Object.keys(query);
  const unknown = Object.keys(ctx.query).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const hint = known.length === 0 ? ' There are none here.' : suggestion(unknown, known);
  const message = `Unknown parameter ${JSON.stringify(unknown)}.${hint}`;
  throw new HttpProblem(400, 'invalid_request', message);
}

/** `product`, what comes before the dot in `product.area`, or the type of the entity or the run that is named by its id. */
async function typesInPath(
  attributes: Attributes,
  { type, attribute, pipeline, entity, run }: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const named = type ?? (attribute ?? pipeline)?.split('.')[0];
  if (named !== undefined) return [named];
  if (entity !== undefined) return typesOfEntities(attributes, [entity]);
  return run === undefined ? [] : [(await attributes.runs.run(run)).entityType];
}

/** @throws {@link ContractViolation} with everything that is wrong */
async function readBody(ctx: Context, api: Api, { body }: AttributeRoute): Promise<unknown> {
  const written = await readInput(ctx, api.settings.bodyLimitBytes);
  const parsed = body?.safeParse(written);
  if (parsed === undefined || parsed.success) return parsed?.data;
  throw new ContractViolation(violationsOf(parsed.error, written));
}

/** Who has edited what somebody else has edited meanwhile gets to see it. */
async function answered(
  request: AttributeRequest,
  route: AttributeRoute,
  ofPath: readonly AttributeRoute[],
  body: unknown,
): Promise<Json | undefined> {
  try {
    return await route.handler(request, body);
  } catch (error) {
    if (!(error instanceof EditConflict)) throw error;
    const shown = ofPath.find(({ method }) => method === 'get');
    const current = (await route.shows?.(request)) ?? (await shown?.handler(request, undefined));
    throw new HttpProblem(409, 'edit_conflict', error.message, {
      fields: {
        yours: error.yours,
        theirs: error.current,
        ...(current !== undefined && { current }),
      },
    });
  }
}

function answer(ctx: Context, { status = 200 }: AttributeRoute, body: Json | undefined): void {
  if (body === undefined) {
    if (status === 204) ctx.status = 204;
    return;
  }
  ctx.status = status;
  ctx.body = body;
}
