import { z } from 'zod';
import type { ValueChange } from '../../src/attribute-pipeline/value.js';
import { NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import type { ValuePlace } from '../../src/attribute-pipeline/entity-catalog.js';
import { queryValue } from '../request-path.js';
import { readNumber } from '../query-parameters.js';
import { answers } from './answers.js';
import {
  authorOf,
  pageOf,
  typesOfEntities,
  type AttributeRequest,
  listed,
} from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { awaitingBody, historyBody, listBody, valueBody } from './bodies.js';
import { anyJson } from './reading.js';

const PATH = '/entities/:entity/values/:name';

const newValue = z.strictObject({
  value: anyJson,
  version: z.int().min(0).exactOptional().meta({
    description:
      'Of the value that the change was made from. Without it, whatever it is now is changed.',
  }),
});

const places = z.strictObject({
  values: z
    .array(z.strictObject({ entity_id: z.string(), attribute: z.string() }))
    .min(1)
    .max(1_000),
});

/** Values of entities: edits, overrides, approvals, and where they come from. */
export const valueRoutes: readonly AttributeRoute[] = [
  route({
    method: 'get',
    path: '/entities/awaiting_approval',
    name: 'values_awaiting_approval',
    summary: 'Values that somebody has to approve, longest first.',
    access: 'read',
    query: {
      entity_type: 'Only of this type.',
      attribute: 'Only of this attribute: its name.',
      limit: 'Most entries of the page.',
      after: 'What the page before has told as next.',
    },
    entityTypes: ({ ctx }) => listed(queryValue(ctx, 'entity_type')),
    answer: answers.list('values', answers.awaiting),
    handler: async (request) => {
      const { ctx, attributes } = request;
      const entityType = queryValue(ctx, 'entity_type');
      const attribute = queryValue(ctx, 'attribute');
      const of = {
        ...(entityType !== undefined && { entityType }),
        ...(attribute !== undefined && { attribute }),
      };
      const page = await attributes.entities.awaitingApproval(of, pageOf(request));
      return listBody('values', page, (value) => awaitingBody(value, request));
    },
  }),
  bulk('approve', 'approved', 'Approve several values, all or none.'),
  bulk(
    'publish',
    'published',
    'Say that what is approved of several values was exported, all or none.',
  ),
  bulk(
    'remove_overrides',
    'override_removed',
    'Remove the overrides of several values, all or none.',
  ),
  route({
    method: 'get',
    path: PATH,
    name: 'value',
    summary: 'A value of an entity with everything that is known of it.',
    access: 'read',
    answer: answers.value,
    handler: valueNow,
  }),
  route({
    method: 'put',
    path: PATH,
    name: 'value_edit',
    summary: 'Edit a value that nothing computes.',
    access: 'edit',
    body: newValue,
    answer: answers.value,
    handler: (request, { value, version }) => change(request, { kind: 'edited', value }, version),
  }),
  route({
    method: 'put',
    path: `${PATH}/override`,
    name: 'value_override',
    summary: 'Set another value above the one that is computed.',
    access: 'edit',
    shows: valueNow,
    body: newValue,
    answer: answers.value,
    handler: (request, { value, version }) =>
      change(request, { kind: 'overridden', value }, version),
  }),
  route({
    method: 'delete',
    path: `${PATH}/override`,
    name: 'value_override_remove',
    summary: 'Let the computed value count again.',
    access: 'edit',
    shows: valueNow,
    query: { version: 'Of the value that the change was made from.' },
    answer: answers.value,
    handler: (request) => change(request, { kind: 'override_removed' }, versionOf(request)),
  }),
  route({
    method: 'post',
    path: `${PATH}/approve`,
    name: 'value_approve',
    summary: 'Approve a value.',
    access: 'edit',
    shows: valueNow,
    query: { version: 'Of the value that was looked at.' },
    answer: answers.value,
    handler: (request) => change(request, { kind: 'approved' }, versionOf(request)),
  }),
  route({
    method: 'post',
    path: `${PATH}/publish`,
    name: 'value_publish',
    summary: 'Say that what is approved was exported.',
    access: 'edit',
    query: { version: 'Of the value that was exported.' },
    shows: valueNow,
    answer: answers.value,
    handler: (request) => change(request, { kind: 'published' }, versionOf(request)),
  }),
  route({
    method: 'get',
    path: `${PATH}/history`,
    name: 'value_history',
    summary: 'How a value has come about, newest first.',
    access: 'read',
    query: {
      limit: 'Most entries of the page.',
      after: 'What the page before has told as next.',
    },
    answer: answers.list('history', answers.history),
    handler: async (request) =>
      listBody(
        'history',
        await request.attributes.entities.history(placeOf(request), pageOf(request)),
        historyBody,
      ),
  }),
];

function placeOf({ params }: AttributeRequest): ValuePlace {
  return { entityId: params['entity'] ?? '', attribute: params['name'] ?? '' };
}

function versionOf({ ctx }: AttributeRequest): number | undefined {
  return readNumber(ctx, 'version', 'the version of a value');
}

async function valueNow(request: AttributeRequest) {
  const { entityId, attribute } = placeOf(request);
  const { entityType, values } = await request.attributes.entities.entity(entityId);
  const value = values[attribute];
  if (value !== undefined) return valueBody(value);
  // Says so where there is no such attribute at all.
  await request.attributes.entities.attribute(entityType, attribute);
  throw new NotFound(`value of ${attribute} of the entity`, entityId);
}

async function change(
  request: AttributeRequest,
  what: Exclude<ValueChange, { readonly kind: 'computed' }>,
  version: number | undefined,
) {
  const { entities } = request.attributes;
  return valueBody(await entities.changeValue(placeOf(request), what, version, authorOf(request)));
}

function bulk(
  path: string,
  kind: 'approved' | 'published' | 'override_removed',
  summary: string,
): AttributeRoute {
  return route({
    method: 'post',
    path: `/entities/${path}`,
    name: `values_${path}`,
    summary,
    access: 'edit',
    body: places,
    entityTypes: ({ attributes }, { values }) =>
      typesOfEntities(
        attributes,
        values.map(({ entity_id }) => entity_id),
      ),
    answer: answers.list('values', answers.value),
    handler: async (request, { values }) => {
      const { entities } = request.attributes;
      const ids = await entities.entityIds(values.map(({ entity_id }) => entity_id));
      const changed = await entities.changeValues(
        values.map(({ entity_id, attribute }, at) => ({
          entityId: ids[at] ?? entity_id,
          attribute,
        })),
        kind,
        authorOf(request),
      );
      return { values: changed.map(valueBody) };
    },
  });
}
