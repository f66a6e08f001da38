import { z } from 'zod';
import type { WrittenModule } from '../../src/attribute-pipeline/checked-pipeline.js';
import { NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import type { JsonObject } from '../../src/definition/json.js';
import { readNumber } from '../query-parameters.js';
import { HttpProblem } from '../http-problem.js';
import { answers } from './answers.js';
import { authorOf, pipelinePlace, type AttributeRequest } from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { pipelineBody } from './bodies.js';
import { writtenModule } from './pipelines.js';
import { anyJson, lockVersion } from './reading.js';

const PATH = '/attribute_pipelines/:pipeline/modules';

/** The modules of a pipeline, one at a time. Each change is one of the whole pipeline, and a new version of it. */
export const pipelineModuleRoutes: readonly AttributeRoute[] = [
  route({
    method: 'post',
    path: PATH,
    name: 'attribute_pipeline_module_add',
    summary: 'Add a module to a pipeline: at its end, or at a position.',
    access: 'design',
    body: writtenModule.extend({
      lock_version: lockVersion,
      position: z.int().min(0).exactOptional(),
    }),
    answer: answers.pipeline,
    handler: (request, { lock_version, position, ...module }) =>
      change(request, lock_version, (modules) =>
        modules.toSpliced(position ?? modules.length, 0, module),
      ),
  }),
  route({
    method: 'put',
    path: PATH,
    name: 'attribute_pipeline_modules_order',
    summary: 'Put the modules of a pipeline into another order.',
    access: 'design',
    body: z.strictObject({ lock_version: lockVersion, order: z.array(z.string()) }),
    answer: answers.pipeline,
    handler: (request, { lock_version, order }) =>
      change(request, lock_version, (modules) => ordered(modules, order)),
  }),
  route({
    method: 'patch',
    path: `${PATH}/:module`,
    name: 'attribute_pipeline_module_change',
    summary: 'Change the settings of a module.',
    access: 'design',
    body: z.strictObject({
      lock_version: lockVersion,
      settings: z.record(z.string(), anyJson),
    }),
    answer: answers.pipeline,
    handler: (request, { lock_version, settings }) =>
      change(request, lock_version, (modules) =>
        modules.with(indexOf(modules, request), { ...found(modules, request), settings }),
      ),
  }),
  route({
    method: 'delete',
    path: `${PATH}/:module`,
    name: 'attribute_pipeline_module_remove',
    summary: 'Remove a module from a pipeline.',
    access: 'design',
    query: { lock_version: 'The version of the pipeline that was looked at. Required.' },
    answer: answers.pipeline,
    handler: (request) => {
      const lock = readNumber(request.ctx, 'lock_version', 'the lock_version of the pipeline');
      if (lock === undefined)
        throw new HttpProblem(
          400,
          'invalid_request',
          'lock_version must be the lock_version of the pipeline.',
        );
      return change(request, lock, (modules) => modules.toSpliced(indexOf(modules, request), 1));
    },
  }),
];

type Modules = readonly WrittenModule[];

async function change(
  request: AttributeRequest,
  lock: number,
  edit: (modules: Modules) => Modules,
): Promise<JsonObject> {
  const place = pipelinePlace(request);
  const { modules } = await request.attributes.pipelines.pipeline(place);
  return pipelineBody(
    await request.attributes.changePipeline(
      place,
      { modules: edit(modules) },
      lock,
      authorOf(request),
    ),
    request,
  );
}

function indexOf(modules: Modules, { params }: AttributeRequest): number {
  const index = modules.findIndex(({ id }) => id === params['module']);
  if (index === -1) throw new NotFound('module of the pipeline', params['module'] ?? '');
  return index;
}

function found(modules: Modules, request: AttributeRequest): WrittenModule {
  const module = modules[indexOf(modules, request)];
  if (module === undefined) throw new NotFound('module of the pipeline', '');
  return module;
}

/** @throws {@link HttpProblem} 422 unless each module is named once */
function ordered(modules: Modules, order: readonly string[]): Modules {
  const ids = modules.map(({ id }) => id ?? '');
  if (order.length !== ids.length || ids.some((id) => !order.includes(id)))
    throw new HttpProblem(
      422,
      'contract_violation',
      `order names each module of the pipeline once: ${ids.join(', ')}.`,
    );
  return order.flatMap((id) => modules.filter((module) => module.id === id));
}
