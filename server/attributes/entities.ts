import { z } from 'zod';
import { VALUE_VIEWS, type ValueView } from '../../src/attribute-pipeline/value.js';
import type { JsonObject } from '../../src/definition/json.js';
import { readOneOf } from '../query-parameters.js';
import { queryValue } from '../request-path.js';
import { answers } from './answers.js';
import { requiredType } from './attribute-definitions.js';
import { authorOf, pageOf, type AttributeRequest, listed } from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { entityBody, listBody } from './bodies.js';
import { anyJson, filterOf, nullableText } from './reading.js';

const values = z.record(z.string(), anyJson) as z.ZodType<JsonObject>;

const VIEW = `Which of the values: ${VALUE_VIEWS.join(', ')}, or all with everything that is known of each. with_override unless given.`;

/** `/entities`: what has attributes. */
export const entityRoutes: readonly AttributeRoute[] = [
  route({
    method: 'get',
    path: '/entities',
    name: 'entities',
    summary: 'Entities of a type with their values.',
    access: 'read',
    query: {
      entity_type: 'Its name. Required.',
      filter: 'Conditions as JSON: [{"attribute":"width","operator":">","value":3}].',
      view: VIEW,
      count: 'true: how many there are of it, too.',
      limit: 'Most entries of the page.',
      after: 'What the page before has told as next.',
    },
    entityTypes: ({ ctx }) => listed(queryValue(ctx, 'entity_type')),
    answer: answers.list('entities', answers.entity),
    handler: async (request) => {
      const { ctx, attributes } = request;
      const type = requiredType(request);
      const filter = filterOf(ctx);
      const view = viewOf(request);
      const selection = { ...pageOf(request), ...(filter !== undefined && { filter }) };
      const page = await attributes.entities.entities(type, selection);
      const counts = readOneOf(ctx, 'count', ['true', 'false']) === 'true';
      return {
        ...listBody('entities', page, (entity) => entityBody(entity, view, request)),
        ...(counts && { count: await attributes.entities.countEntities(type, filter) }),
      };
    },
  }),
  route({
    method: 'post',
    path: '/entities',
    name: 'entities_save',
    summary:
      'Add entities, and change those whose keys are there: all or none, at most 1,000. Pipelines that read what has changed run.',
    access: 'edit',
    body: z.strictObject({
      entity_type: z.string(),
      entities: z
        .array(
          z.strictObject({
            key: nullableText.default(null),
            label: nullableText.exactOptional(),
            values: values.default({}),
          }),
        )
        .min(1),
      import: z.boolean().default(false).meta({
        description: 'Whether attributes may be written that come from another system.',
      }),
    }),
    entityTypes: (_, { entity_type }) => listed(entity_type),
    answer: answers.saved,
    handler: async (request, { entity_type, entities, import: isImport }) => {
      const by = { ...authorOf(request), isImport };
      const saved = await request.attributes.entities.saveEntities(entity_type, entities, by);
      return { entities: saved.map(({ id, isNew, changed }) => ({ id, is_new: isNew, changed })) };
    },
  }),
  route({
    method: 'get',
    path: '/entities/:entity',
    name: 'entity',
    summary: 'An entity with its values.',
    access: 'read',
    query: { view: VIEW },
    answer: answers.entity,
    handler: async (request) =>
      entityBody(
        await request.attributes.entities.entity(request.params['entity'] ?? ''),
        viewOf(request),
        request,
      ),
  }),
  route({
    method: 'delete',
    path: '/entities/:entity',
    name: 'entity_remove',
    summary: 'Remove an entity with its values and their history.',
    access: 'edit',
    status: 204,
    handler: async ({ attributes, params }) => {
      await attributes.entities.removeEntity(params['entity'] ?? '');
      return undefined;
    },
  }),
];

function viewOf({ ctx }: AttributeRequest): ValueView | 'all' {
  return readOneOf(ctx, 'view', [...VALUE_VIEWS, 'all']) ?? 'with_override';
}
