import { z } from 'zod';
import { NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import { EXACT } from '../../src/attribute-pipeline/eval-catalog.js';
import type { Comparison, Eval, EvalRate } from '../../src/attribute-pipeline/eval.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type { JsonObject } from '../../src/definition/json.js';
import { readOneOf } from '../query-parameters.js';
import { answers } from './answers.js';
import { resultInTime } from './result-in-time.js';
import { authorOf, pageOf, pipelinePlace, type AttributeRequest } from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { listBody, type BodyPlace } from './bodies.js';
import { anyJson, lockVersion, nullableText } from './reading.js';

const PATH = '/attribute_pipelines/:pipeline/evals';

const comparison = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('exact') }),
  z.strictObject({ kind: z.literal('number'), tolerance: z.number().nonnegative() }),
  z.strictObject({
    kind: z.literal('text'),
    ignore_case: z.boolean().default(true),
    ignore_whitespace: z.boolean().default(true),
  }),
  z.strictObject({ kind: z.literal('set') }),
  z.strictObject({ kind: z.literal('subset') }),
]);

type WrittenComparison = z.output<typeof comparison>;

/** What is wanted of a pipeline, and how far it is from it. */
export const evalRoutes: readonly AttributeRoute[] = [
  route({
    method: 'get',
    path: PATH,
    name: 'attribute_evals',
    summary: 'The evals of a pipeline, in the order in which they were added.',
    access: 'read',
    query: {
      passed: 'true or false: only those.',
      limit: 'Most entries of the page.',
      after: 'What the page before has told as next.',
    },
    answer: answers.list('evals', answers.eval),
    handler: async (request) => {
      const passed = readOneOf(request.ctx, 'passed', ['true', 'false']);
      const page = await request.attributes.evals.evals(
        pipelinePlace(request),
        pageOf(request),
        passed === undefined ? {} : { passed: passed === 'true' },
      );
      return listBody('evals', page, (one) => evalBody(one, request));
    },
  }),
  route({
    method: 'post',
    path: PATH,
    name: 'attribute_eval_add',
    summary:
      'Say what is wanted of a pipeline for an entity: an output, or the override that somebody has set.',
    access: 'design',
    body: z
      .strictObject({
        entity_id: z.string(),
        desired_output: anyJson
          .optional()
          .meta({ description: 'Unless it is that of the override.' }),
        from_override: z.boolean().default(false),
        comparison: comparison.optional(),
        notes: nullableText.default(null),
      })
      .refine(
        ({ desired_output, from_override }) => (desired_output === undefined) === from_override,
        'give either desired_output, or from_override: true',
      ),
    status: 201,
    answer: answers.eval,
    handler: async (request, { entity_id, desired_output, comparison: written, notes }) => {
      const place = pipelinePlace(request);
      const of = {
        entityId: await request.attributes.entityId(entity_id),
        comparison: written === undefined ? EXACT : comparisonOf(written),
        notes,
      };
      const { evals } = request.attributes;
      const by = authorOf(request);
      return evalBody(
        desired_output === undefined
          ? await evals.addEvalOfOverride(place, of, by)
          : await evals.addEval(place, { ...of, desiredOutput: desired_output }, by),
        request,
      );
    },
  }),
  route({
    method: 'post',
    path: `${PATH}/run`,
    name: 'attribute_evals_run',
    summary: 'Run the evals of a pipeline.',
    access: 'run',
    body: z.strictObject({
      all: z.boolean().default(true).meta({
        description: 'Also those whose entities have not changed since they ran.',
      }),
    }),
    status: 202,
    waits: true,
    answer: answers.evalReport,
    handler: async (request, { all }) => {
      const { principal } = authorOf(request);
      const wanted = { all, principal };
      const handle = await request.attributes.runEvals(pipelinePlace(request), wanted);
      const { engine } = request.api;
      const body = { workflow_id: handle.workflowId };
      const report = await resultInTime(request, ({ signal }) => engine.resultOf(handle, signal));
      if (report === undefined) return body;
      const { evals, passed, ran, leftOut } = report;
      // 200 instead of the 202 of what goes on.
      request.ctx.status = 200;
      request.ctx.body = { ...body, evals, passed, ran, left_out: leftOut };
      return undefined;
    },
  }),
  route({
    method: 'get',
    path: `${PATH}/rates`,
    name: 'attribute_eval_rates',
    summary: 'How many evals have passed over time, newest first.',
    access: 'read',
    query: {
      limit: 'Most entries of the page.',
      after: 'What the page before has told as next.',
    },
    answer: answers.list('rates', answers.evalRate),
    handler: async (request) =>
      listBody(
        'rates',
        await request.attributes.evals.rates(pipelinePlace(request), pageOf(request)),
        rateBody,
      ),
  }),
  route({
    method: 'get',
    path: `${PATH}/:eval`,
    name: 'attribute_eval',
    summary: 'An eval.',
    access: 'read',
    answer: answers.eval,
    handler: async (request) => evalBody(await evalOf(request), request),
  }),
  route({
    method: 'patch',
    path: `${PATH}/:eval`,
    name: 'attribute_eval_change',
    summary: 'Change what is wanted, how it is compared, or the notes.',
    access: 'design',
    body: z.strictObject({
      lock_version: lockVersion,
      desired_output: anyJson.optional(),
      comparison: comparison.optional(),
      notes: nullableText.exactOptional(),
    }),
    answer: answers.eval,
    handler: async (request, { lock_version, desired_output, comparison: written, notes }) =>
      evalBody(
        await request.attributes.evals.changeEval(
          (await evalOf(request)).id,
          {
            ...(desired_output !== undefined && { desiredOutput: desired_output }),
            ...(written !== undefined && { comparison: comparisonOf(written) }),
            ...(notes !== undefined && { notes }),
          },
          lock_version,
          authorOf(request),
        ),
        request,
      ),
  }),
  route({
    method: 'delete',
    path: `${PATH}/:eval`,
    name: 'attribute_eval_remove',
    summary: 'Remove an eval.',
    access: 'design',
    status: 204,
    handler: async (request) => {
      await request.attributes.evals.removeEval((await evalOf(request)).id);
      return undefined;
    },
  }),
];

/** Of the pipeline in the path: who may see that one need not be let see others. @throws {@link NotFound} */
async function evalOf({ attributes, params }: AttributeRequest): Promise<Eval> {
  const { eval: id = '', pipeline } = params;
  const found = await attributes.evals.eval(id);
  if (pipelineName(found) !== pipeline) throw new NotFound('eval', id);
  return found;
}

function comparisonOf(written: WrittenComparison): Comparison {
  if (written.kind !== 'text') return written;
  const { kind, ignore_case: ignoreCase, ignore_whitespace: ignoreWhitespace } = written;
  return { kind, ignoreCase, ignoreWhitespace };
}

function comparisonBody(of: Comparison): JsonObject {
  if (of.kind !== 'text') return { ...of };
  return { kind: 'text', ignore_case: of.ignoreCase, ignore_whitespace: of.ignoreWhitespace };
}

export function evalBody(of: Eval, { base }: BodyPlace): JsonObject {
  const pipeline = `${base}/attribute_pipelines/${pipelineName(of)}`;
  return {
    id: of.id,
    pipeline: pipelineName(of),
    entity_id: of.entityId,
    entity_key: of.entityKey,
    desired_output: of.desiredOutput,
    comparison: comparisonBody(of.comparison),
    notes: of.notes,
    ...(of.actualOutput !== undefined && { actual_output: of.actualOutput }),
    justification: of.justification,
    confidence: of.confidence,
    passed: of.passed,
    input_hash: of.inputHash,
    last_ran_at: of.lastRanAt?.toISOString() ?? null,
    lock_version: of.lockVersion,
    updated_by: of.updatedBy,
    created_at: of.createdAt.toISOString(),
    updated_at: of.updatedAt.toISOString(),
    links: { self: `${pipeline}/evals/${of.id}`, entity: `${base}/entities/${of.entityId}` },
  };
}

function rateBody({ at, pipelineVersion, evals, passed }: EvalRate): JsonObject {
  return {
    at: at.toISOString(),
    pipeline_version: pipelineVersion,
    evals,
    passed,
    pass_rate: evals === 0 ? null : passed / evals,
  };
}
