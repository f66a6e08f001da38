import { z } from 'zod';
import type { AttributeModule } from '../../src/attribute-pipeline/module.js';
import { settingsForm } from '../../src/attribute-pipeline/settings-form.js';
import { ON_ERROR, type PipelineSettings } from '../../src/attribute-pipeline/pipeline.js';
import type { JsonObject } from '../../src/definition/json.js';
import { queryValue } from '../request-path.js';
import { answers } from './answers.js';
import {
  authorOf,
  pageOf,
  pipelinePlace,
  placeNamed,
  listed,
  typesOfPipelines,
} from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { listBody, pipelineBody, quoteBody } from './bodies.js';
import { anyJson, lockVersion, nullableText } from './reading.js';

/** A module as somebody writes it. */
export const writtenModule = z.strictObject({
  module: z.string(),
  settings: (z.record(z.string(), anyJson) as z.ZodType<JsonObject>).default({}),
});

/** What people set of a pipeline beside its modules, as they write it. */
export const pipelineSettings = {
  name: nullableText.exactOptional(),
  on_error: z.enum(ON_ERROR).exactOptional(),
  automatic: z
    .boolean()
    .meta({
      description:
        'Whether it runs by itself: when something is saved that it reads, and each night.',
    })
    .exactOptional(),
  batch_size: z.int().nullable().exactOptional(),
  run_budget: z.number().nullable().exactOptional(),
  day_budget: z.number().nullable().exactOptional(),
};

const writtenPipeline = z.strictObject({
  attribute: z.string().meta({ description: 'What it computes: product.area.' }),
  modules: z.array(writtenModule),
  ...pipelineSettings,
});

/** `/attribute_pipelines`: what computes attributes. */
export const pipelineRoutes: readonly AttributeRoute[] = [
  route({
    method: 'get',
    path: '/attribute_pipelines',
    name: 'attribute_pipelines',
    summary: 'Pipelines, in the order of entity types and attributes.',
    access: 'read',
    query: {
      entity_type: 'Only of this type.',
      limit: 'Most entries of the page.',
      after: 'What the page before has told as next.',
    },
    entityTypes: ({ ctx }) => listed(queryValue(ctx, 'entity_type')),
    answer: answers.list('attribute_pipelines', answers.pipeline),
    handler: async (request) => {
      const entityType = queryValue(request.ctx, 'entity_type');
      const page = await request.attributes.pipelines.pipelines(
        pageOf(request),
        entityType === undefined ? {} : { entityType },
      );
      const stats = await request.attributes.evals.stats(page.items.map(({ id }) => id));
      return listBody('attribute_pipelines', page, (pipeline) =>
        pipelineBody(pipeline, request, stats.get(pipeline.id)),
      );
    },
  }),
  route({
    method: 'post',
    path: '/attribute_pipelines',
    name: 'attribute_pipeline_add',
    summary: 'Have a pipeline compute an attribute.',
    access: 'design',
    body: writtenPipeline,
    entityTypes: (_, { attribute }) => typesOfPipelines([attribute]),
    status: 201,
    answer: answers.pipeline,
    handler: async (request, { attribute, modules, ...rest }) =>
      pipelineBody(
        await request.attributes.addPipeline(
          placeNamed('attribute', attribute),
          { modules, ...pipelineSettingsOf(rest) },
          authorOf(request),
        ),
        request,
      ),
  }),
  route({
    method: 'get',
    path: '/attribute_pipelines/modules',
    name: 'attribute_modules',
    summary: 'The modules that pipelines are made of, with what a form for their settings needs.',
    access: 'read',
    answer: answers.list('modules', answers.moduleDefinition),
    handler: ({ attributes }) => ({ modules: [...attributes.modules.values()].map(moduleBody) }),
  }),
  route({
    method: 'post',
    path: '/attribute_pipelines/validate',
    name: 'attribute_pipeline_validate',
    summary:
      'Check a pipeline without saving it: modules, settings, order, and cycles with others.',
    access: 'read',
    body: writtenPipeline,
    entityTypes: (_, { attribute }) => typesOfPipelines([attribute]),
    answer: z.object({ valid: z.literal(true), inputs: z.array(z.string()) }),
    handler: async (request, { attribute, modules, ...rest }) => {
      const { inputs } = await request.attributes.checkPipeline(
        placeNamed('attribute', attribute),
        { modules, ...pipelineSettingsOf(rest) },
        authorOf(request),
      );
      return { valid: true, inputs };
    },
  }),
  route({
    method: 'get',
    path: '/attribute_pipelines/:pipeline',
    name: 'attribute_pipeline',
    summary: 'A pipeline: product.area.',
    access: 'read',
    answer: answers.pipeline,
    handler: async (request) =>
      pipelineBody(await request.attributes.pipelines.pipeline(pipelinePlace(request)), request),
  }),
  route({
    method: 'patch',
    path: '/attribute_pipelines/:pipeline',
    name: 'attribute_pipeline_change',
    summary: 'Change a pipeline. Other modules, or other settings of theirs, are a new version.',
    access: 'design',
    body: z.strictObject({
      lock_version: lockVersion,
      modules: z.array(writtenModule.extend({ id: z.string().exactOptional() })).exactOptional(),
      ...pipelineSettings,
    }),
    answer: answers.pipeline,
    handler: async (request, { lock_version, modules, ...rest }) =>
      pipelineBody(
        await request.attributes.changePipeline(
          pipelinePlace(request),
          { ...pipelineSettingsOf(rest), ...(modules !== undefined && { modules }) },
          lock_version,
          authorOf(request),
        ),
        request,
      ),
  }),
  route({
    method: 'delete',
    path: '/attribute_pipelines/:pipeline',
    name: 'attribute_pipeline_remove',
    summary: 'Remove a pipeline with its runs and evals. Values that it has computed stay.',
    access: 'design',
    status: 204,
    handler: async (request) => {
      await request.attributes.pipelines.removePipeline(pipelinePlace(request));
      return undefined;
    },
  }),
  route({
    method: 'get',
    path: '/attribute_pipelines/:pipeline/quote',
    name: 'attribute_pipeline_quote',
    summary: 'What a run would look at, and what it would cost by what runs have cost.',
    access: 'read',
    query: { force: 'false: only what has changed. true unless given, as for a run.' },
    answer: answers.quote,
    handler: async (request) => {
      const force = queryValue(request.ctx, 'force') !== 'false';
      const place = pipelinePlace(request);
      return quoteBody(place, force, await request.attributes.quote(place, { force }));
    },
  }),
];

type WrittenSettings = z.output<z.ZodObject<typeof pipelineSettings>>;

/** What {@link pipelineSettings} has let through, as the catalog takes it. */
export function pipelineSettingsOf({
  name,
  on_error,
  automatic,
  batch_size,
  run_budget,
  day_budget,
}: WrittenSettings): Partial<PipelineSettings> {
  return {
    ...(name !== undefined && { name }),
    ...(on_error !== undefined && { onError: on_error }),
    ...(automatic !== undefined && { automatic }),
    ...(batch_size !== undefined && { batchSize: batch_size }),
    ...(run_budget !== undefined && { runBudget: run_budget }),
    ...(day_budget !== undefined && { dayBudget: day_budget }),
  };
}

function moduleBody({ definition }: AttributeModule): JsonObject {
  const { slug, label, description, type } = definition;
  return { slug, label, description, type, settings_schema: settingsForm(definition) };
}
