import type { Context } from 'koa';
import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import { NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import type { Author, PageRequest } from '../../src/attribute-pipeline/entity-catalog.js';
import type { PipelinePlace } from '../../src/attribute-pipeline/pipeline-catalog.js';
import type { Api } from '../api-options.js';
import { readLimit } from '../query-parameters.js';
import { queryValue } from '../request-path.js';
import type { EventStreams } from '../sse.js';
import { recordOf } from '../request-record.js';

/** A request about entities, their attributes or the pipelines that compute them, as its routes pass it on. */
export interface AttributeRequest {
  readonly ctx: Context;
  readonly api: Api;
  readonly attributes: Attributes;
  readonly streams: EventStreams;
  /** The parameters of the path, by name. */
  readonly params: Readonly<Record<string, string>>;
  /** What the paths of this API begin with, as the client sees it: empty, or `/catalog`. */
  readonly base: string;
}

/** Who makes a request: the principal, where the server authenticates. */
export function authorOf({ ctx }: Pick<AttributeRequest, 'ctx'>): Author {
  return { principal: recordOf(ctx).principal ?? 'anonymous', now: new Date() };
}

/** The part of a list that a request asks for. @throws {@link HttpProblem} 400 */
export function pageOf({ ctx }: Pick<AttributeRequest, 'ctx'>): PageRequest {
  const after = queryValue(ctx, 'after');
  return { limit: readLimit(ctx), ...(after !== undefined && after !== '' && { after }) };
}

/** What `product.area` names. @throws {@link NotFound} */
export function placeNamed(what: string, name: string): PipelinePlace {
  const [, entityType, attribute] = /^([a-z]\w*)\.([a-z]\w*)$/.exec(name) ?? [];
  if (entityType === undefined || attribute === undefined)
    throw new NotFound(
      what,
      name,
      'Names are like product.area: the entity type and the attribute.',
    );
  return { entityType, attribute };
}

/** The pipeline that the path names. @throws {@link NotFound} */
export function pipelinePlace({ params }: Pick<AttributeRequest, 'params'>): PipelinePlace {
  return placeNamed('pipeline', params['pipeline'] ?? '');
}

/** The types of entities that are named by ids, or by type and key. @throws {@link NotFound} for a key that is not there */
export async function typesOfEntities(
  { entities }: Pick<Attributes, 'entities'>,
  names: readonly string[],
): Promise<readonly string[]> {
  return entities.typesOf(await entities.entityIds(names));
}

/** The types of what is named like `product.area`. */
export function typesOfPipelines(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.split('.')[0] ?? name))];
}

/** A type that may be given. */
export function listed(entityType: string | undefined): readonly string[] {
  return entityType === undefined ? [] : [entityType];
}
