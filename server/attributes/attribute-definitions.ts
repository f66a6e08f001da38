import { z } from 'zod';
import {
  ATTRIBUTE_DEFAULTS,
  DATA_TYPES,
  EDITABLE,
  IS_SYNC,
  NEEDS_APPROVAL,
  type AttributeSettings,
} from '../../src/attribute-pipeline/attribute.js';
import { HttpProblem } from '../http-problem.js';
import { queryValue } from '../request-path.js';
import { answers } from './answers.js';
import { authorOf, placeNamed, type AttributeRequest, listed } from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { attributeBody } from './bodies.js';
import { lockVersion, nullableText } from './reading.js';

/** What of an attribute may be changed, as people write it. */
export const attributeSettings = {
  label: nullableText.exactOptional(),
  description: nullableText.exactOptional(),
  allowed_values: z.array(z.string()).nullable().exactOptional(),
  editable: z.enum(EDITABLE).exactOptional(),
  needs_approval: z.enum(NEEDS_APPROVAL).exactOptional(),
  is_sync: z.enum(IS_SYNC).exactOptional(),
};

type Changeable = z.output<z.ZodObject<typeof attributeSettings>>;

/** `/attributes`: what entities of a type have. */
export const attributeDefinitionRoutes: readonly AttributeRoute[] = [
  route({
    method: 'get',
    path: '/attributes',
    name: 'attributes',
    summary: 'The attributes of an entity type, in the order of their names.',
    access: 'read',
    query: { entity_type: 'Its name. Required.' },
    entityTypes: ({ ctx }) => listed(queryValue(ctx, 'entity_type')),
    answer: answers.list('attributes', answers.attribute),
    handler: async (request) => {
      const found = await request.attributes.entities.attributes(requiredType(request));
      return { attributes: found.map((attribute) => attributeBody(attribute, request)) };
    },
  }),
  route({
    method: 'post',
    path: '/attributes',
    name: 'attribute_add',
    summary: 'Add an attribute to an entity type.',
    access: 'design',
    body: z.strictObject({
      entity_type: z.string(),
      name: z.string(),
      data_type: z.enum(DATA_TYPES).exactOptional(),
      related_type: nullableText.exactOptional(),
      ...attributeSettings,
    }),
    entityTypes: (_, { entity_type }) => listed(entity_type),
    status: 201,
    answer: answers.attribute,
    handler: async (request, { entity_type, name, data_type, related_type, ...rest }) =>
      attributeBody(
        await request.attributes.entities.addAttribute(
          entity_type,
          {
            ...ATTRIBUTE_DEFAULTS,
            ...attributeSettingsOf(rest),
            name,
            ...(data_type !== undefined && { dataType: data_type }),
            ...(related_type !== undefined && { relatedType: related_type }),
          },
          authorOf(request),
        ),
        request,
      ),
  }),
  route({
    method: 'get',
    path: '/attributes/:attribute',
    name: 'attribute',
    summary: 'An attribute: product.area.',
    access: 'read',
    answer: answers.attribute,
    handler: async (request) => {
      const { entityType, attribute } = named(request);
      return attributeBody(
        await request.attributes.entities.attribute(entityType, attribute),
        request,
      );
    },
  }),
  route({
    method: 'patch',
    path: '/attributes/:attribute',
    name: 'attribute_change',
    summary: 'Change an attribute. Its name, its data type and its related type stay.',
    access: 'design',
    body: z.strictObject({ lock_version: lockVersion, ...attributeSettings }),
    answer: answers.attribute,
    handler: async (request, { lock_version, ...change }) => {
      const { entityType, attribute } = named(request);
      return attributeBody(
        await request.attributes.entities.changeAttribute(
          entityType,
          attribute,
          attributeSettingsOf(change),
          lock_version,
          authorOf(request),
        ),
        request,
      );
    },
  }),
  route({
    method: 'delete',
    path: '/attributes/:attribute',
    name: 'attribute_remove',
    summary: 'Remove an attribute with all of its values.',
    access: 'design',
    status: 204,
    handler: async (request) => {
      const { entityType, attribute } = named(request);
      await request.attributes.entities.removeAttribute(entityType, attribute);
      return undefined;
    },
  }),
];

function named({ params }: AttributeRequest) {
  return placeNamed('attribute', params['attribute'] ?? '');
}

/** @throws {@link HttpProblem} 400 */
export function requiredType({ ctx }: Pick<AttributeRequest, 'ctx'>): string {
  const type = queryValue(ctx, 'entity_type');
  if (type !== undefined && type !== '') return type;
  throw new HttpProblem(400, 'invalid_request', 'entity_type must be the name of an entity type.');
}

/** What {@link attributeSettings} has let through, as the catalog takes it. */
export function attributeSettingsOf({
  allowed_values,
  needs_approval,
  is_sync,
  ...rest
}: Changeable): Partial<Omit<AttributeSettings, 'dataType' | 'relatedType'>> {
  return {
    ...rest,
    ...(allowed_values !== undefined && { allowedValues: allowed_values }),
    ...(needs_approval !== undefined && { needsApproval: needs_approval }),
    ...(is_sync !== undefined && { isSync: is_sync }),
  };
}
