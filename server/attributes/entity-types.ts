import { z } from 'zod';
import { authorOf, pageOf } from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { answers } from './answers.js';
import { entityTypeBody, listBody } from './bodies.js';
import { lockVersion, nullableText } from './reading.js';

/** `/entity_types`: kinds of entities. */
export const entityTypeRoutes: readonly AttributeRoute[] = [
  route({
    method: 'get',
    path: '/entity_types',
    name: 'entity_types',
    summary: 'Entity types, in the order of their names.',
    access: 'read',
    query: { limit: 'Most entries of the page.', after: 'What the page before has told as next.' },
    answer: answers.list('entity_types', answers.entityType),
    handler: async (request) =>
      listBody(
        'entity_types',
        await request.attributes.entities.entityTypes(pageOf(request)),
        (type) => entityTypeBody(type, request),
      ),
  }),
  route({
    method: 'post',
    path: '/entity_types',
    name: 'entity_type_add',
    summary: 'Add an entity type.',
    access: 'design',
    body: z.strictObject({
      name: z.string(),
      label: nullableText.default(null),
      description: nullableText.default(null),
    }),
    entityTypes: (_, { name }) => [name],
    status: 201,
    answer: answers.entityType,
    handler: async (request, type) =>
      entityTypeBody(
        await request.attributes.entities.addEntityType(type, authorOf(request)),
        request,
      ),
  }),
  route({
    method: 'get',
    path: '/entity_types/:type',
    name: 'entity_type',
    summary: 'An entity type.',
    access: 'read',
    answer: answers.entityType,
    handler: async (request) =>
      entityTypeBody(
        await request.attributes.entities.entityType(request.params['type'] ?? ''),
        request,
      ),
  }),
  route({
    method: 'patch',
    path: '/entity_types/:type',
    name: 'entity_type_change',
    summary: 'Change the label or the description of an entity type.',
    access: 'design',
    body: z.strictObject({
      lock_version: lockVersion,
      label: nullableText.exactOptional(),
      description: nullableText.exactOptional(),
    }),
    answer: answers.entityType,
    handler: async (request, { lock_version, ...change }) =>
      entityTypeBody(
        await request.attributes.entities.changeEntityType(
          request.params['type'] ?? '',
          change,
          lock_version,
          authorOf(request),
        ),
        request,
      ),
  }),
  route({
    method: 'delete',
    path: '/entity_types/:type',
    name: 'entity_type_remove',
    summary: 'Remove an entity type that has neither entities nor attributes.',
    access: 'design',
    status: 204,
    handler: async ({ attributes, params }) => {
      await attributes.entities.removeEntityType(params['type'] ?? '');
      return undefined;
    },
  }),
];
