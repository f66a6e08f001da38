import { z } from 'zod';
import type { Explanation } from '../../src/attribute-pipeline/explanation.js';
import { COST_GROUPS, type CostRow } from '../../src/attribute-pipeline/run-catalog.js';
import { viewed } from '../../src/attribute-pipeline/value.js';
import type { Json, JsonObject } from '../../src/definition/json.js';
import { invalidParameter, readText } from '../query-parameters.js';
import { queryValue } from '../request-path.js';
import { answers } from './answers.js';
import {
  placeNamed,
  type AttributeRequest,
  listed,
  typesOfPipelines,
} from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { pipelineBody, runBody, valueBody } from './bodies.js';
import { evalBody } from './evals.js';
import { writtenModule } from './pipelines.js';

/** Most rows of a report of costs. */
const MOST_COSTS = 1_000;

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Where values come from, what they cost, and what they would be. */
export const insightRoutes: readonly AttributeRoute[] = [
  route({
    method: 'get',
    path: '/entities/:entity/values/:name/explain',
    name: 'value_explain',
    summary:
      'Where a value comes from: run, pipeline, inputs with their versions, model, cost, eval, and whether it is stale and why.',
    access: 'read',
    answer: answers.explanation,
    handler: async (request) => {
      const { entity = '', name = '' } = request.params;
      return explanationBody(
        await request.attributes.explain({ entityId: entity, attribute: name }),
        request,
      );
    },
  }),
  route({
    method: 'get',
    path: '/attribute_pipelines/costs',
    name: 'attribute_costs',
    summary: 'What models have taken: calls, tokens and cost.',
    access: 'read',
    query: {
      by: `What the costs are told by: ${COST_GROUPS.join(', ')}, or several of them with commas. pipeline,day unless given.`,
      pipeline: 'Only of this one: product.area.',
      entity_type: 'Only of this type.',
      from: 'The first day, of UTC: 2026-11-26.',
      to: 'The last day.',
    },
    entityTypes: ({ ctx }) => {
      const pipeline = queryValue(ctx, 'pipeline');
      return pipeline === undefined
        ? listed(queryValue(ctx, 'entity_type'))
        : typesOfPipelines([pipeline]);
    },
    answer: answers.list('costs', answers.cost),
    handler: async ({ ctx, attributes }) => {
      const pipeline = queryValue(ctx, 'pipeline');
      const entityType = queryValue(ctx, 'entity_type');
      const from = readText(ctx, 'from', DAY, 'a day such as 2026-11-26');
      const to = readText(ctx, 'to', DAY, 'a day such as 2026-11-26');
      const rows = await attributes.runs.costs({
        by: groupsOf(queryValue(ctx, 'by') ?? 'pipeline,day'),
        limit: MOST_COSTS,
        ...(pipeline !== undefined && { place: placeNamed('pipeline', pipeline) }),
        ...(entityType !== undefined && { entityType }),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
      });
      return { costs: rows.map(costBody) };
    },
  }),
  route({
    method: 'post',
    path: '/attribute_pipelines/try',
    name: 'attribute_pipeline_try',
    summary:
      'Take an entity through modules that are not saved. Nothing is written; models are asked and cost.',
    access: 'run',
    body: z.strictObject({
      attribute: z.string().meta({ description: 'What is to be computed: product.area.' }),
      entity_id: z.string(),
      modules: z.array(writtenModule),
    }),
    entityTypes: (_, { attribute }) => typesOfPipelines([attribute]),
    answer: answers.trial,
    handler: async ({ attributes }, { attribute, entity_id, modules }) => {
      const place = placeNamed('attribute', attribute);
      const entityId = await attributes.entityId(entity_id);
      const { usage, ...report } = await attributes.tryModules(place, modules, entityId);
      return {
        ...report,
        usage: usage.map(({ model, calls, tokensIn, tokensOut, cost }) => ({
          model,
          calls,
          tokens_in: tokensIn,
          tokens_out: tokensOut,
          cost,
        })),
      };
    },
  }),
];

/** @throws {@link HttpProblem} 400 */
function groupsOf(text: string) {
  return [...new Set(text.split(','))].map((word) => {
    const group = COST_GROUPS.find((known) => known === word);
    if (group === undefined) throw invalidParameter('by', `some of ${COST_GROUPS.join(', ')}`);
    return group;
  });
}

function costBody({ calls, tokensIn, tokensOut, cost, ...groups }: CostRow): JsonObject {
  return { ...groups, calls, tokens_in: tokensIn, tokens_out: tokensOut, cost };
}

function explanationBody(of: Explanation, request: AttributeRequest): JsonObject {
  const { value, pipeline, run, inputs, staleReasons } = of;
  const usage = value.meta?.['usage'] ?? null;
  return {
    value: valueBody(value),
    pipeline: pipeline === null ? null : pipelineBody(pipeline, request),
    run: run === null ? null : runBody(run, request),
    inputs: inputs.map((input) => ({
      attribute: input.attribute,
      used_version: input.usedVersion,
      version: input.value.version,
      value: (viewed(input.value, 'with_override') ?? null) satisfies Json,
    })),
    usage,
    eval: of.eval === null ? null : evalBody(of.eval, request),
    stale: staleReasons.length > 0,
    stale_reasons: staleReasons,
  };
}
