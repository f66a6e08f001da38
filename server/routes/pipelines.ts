import type { Context } from 'koa';
import type { Definition } from '../../engine/registry.js';
import type { Json } from '../../src/definition/json.js';
import type { Api } from '../api-options.js';
import {
  exposedDefinition,
  exposedDefinitions,
  listOf,
  type Listed,
} from '../middleware/exposure.js';

/** `GET /pipelines`, `GET /tasks`: everything of this kind that is exposed, with its contracts as JSON Schema. */
export function listDefinitions(
  ctx: Context,
  api: Api,
  listed: Listed,
  serves: (name: string) => boolean,
): void {
  const definitions = exposedDefinitions(
    api,
    (definition) => listOf(definition) === listed && serves(definition.name),
  );
  ctx.body = { [`${listed}s`]: definitions.map((definition) => headOf(definition)) };
}

/** `GET /pipelines/:name`, `GET /tasks/:name`: the contracts of one, and what it consists of. */
export function showDefinition(ctx: Context, api: Api, name: string): void {
  const definition = exposedDefinition(api, name);
  ctx.body = { ...headOf(definition), ...partsOf(definition) };
}

function headOf(definition: Definition): Record<string, Json> {
  const { name, description, inputSchema, outputSchema } = definition;
  return {
    name,
    ...(definition.kind === 'task' && {
      namespace_name: definition.plan.namespace,
      version: definition.plan.version,
    }),
    ...(description !== undefined && { description }),
    input_schema: inputSchema,
    output_schema: outputSchema,
  };
}

/** A hand-written workflow has no stages that we know. */
function partsOf(definition: Definition): Record<string, Json> {
  switch (definition.kind) {
    case 'workflow':
      return { stages: [] };
    case 'pipeline':
      return { stages: definition.plan.stages.map((stage) => stage.name) };
    case 'task':
      return {
        identity_strategy: definition.identityStrategy,
        ...(definition.metadata !== undefined && { metadata: definition.metadata }),
        steps: definition.plan.steps.map(({ name, type, handler, dependencies }) => ({
          name,
          type,
          ...(handler !== undefined && { handler: handler.callable }),
          dependencies,
        })),
      };
  }
}
