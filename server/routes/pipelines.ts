import type { Context } from 'koa';
import type { Api } from '../api-options.js';
import { exposedDefinition, exposedDefinitions } from '../middleware/exposure.js';

/** `GET /pipelines`: everything that is exposed, with its contracts as JSON Schema. */
export function listPipelines(ctx: Context, api: Api, serves: (name: string) => boolean): void {
  const pipelines = exposedDefinitions(api, serves).map(
    ({ name, description, inputSchema, outputSchema }) => ({
      name,
      ...(description !== undefined && { description }),
      input_schema: inputSchema,
      output_schema: outputSchema,
    }),
  );
  ctx.body = { pipelines };
}

/** `GET /pipelines/:name`: the contracts and stages of one. A hand-written workflow has no stages that we know. */
export function showPipeline(ctx: Context, api: Api, name: string): void {
  const definition = exposedDefinition(api, name);
  const { description, inputSchema, outputSchema } = definition;
  ctx.body = {
    name,
    ...(description !== undefined && { description }),
    input_schema: inputSchema,
    output_schema: outputSchema,
    stages: definition.kind === 'pipeline' ? definition.plan.stages.map((stage) => stage.name) : [],
  };
}
