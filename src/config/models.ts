import { z } from 'zod';
import { modelConfigSchema, type ModelConfig } from './model-config.js';
import { schemaProblems, type SchemaProblem } from './schema-problems.js';

/** What `config.yml` holds: `models: { fast: { provider, model, capabilities, options } }`. */
const modelsFileSchema = z.strictObject({
  models: z.record(z.string(), modelConfigSchema).nullish(),
});

/** The models of a `config.yml`, by name. References in them (`${ENV}`, `secret://ref`) are still references. */
export type Models = ReadonlyMap<string, ModelConfig>;

/** Checks what a `config.yml` holds. An empty file is one without models. */
export function parseModels(value: unknown): {
  readonly models: Models;
  readonly problems: readonly SchemaProblem[];
} {
  const parsed = modelsFileSchema.safeParse(value ?? {});
  if (parsed.success)
    return { models: new Map(Object.entries(parsed.data.models ?? {})), problems: [] };
  return {
    models: new Map(),
    problems: schemaProblems(modelsFileSchema, parsed.error, value, 'key'),
  };
}
