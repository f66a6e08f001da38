import { z } from 'zod';
import type { JsonObject } from '../definition/json.js';
import type { ModuleDefinition } from './module.js';

/**
 * What a form for a module's settings needs: the JSON Schema of what people write, with `title`, `description` and `widget` where the
 * module gives them by `.meta()`. Widgets: `attributes`, `code`, `json_schema`, `model`, `textarea`.
 */
export function settingsForm({ settings }: Pick<ModuleDefinition, 'settings'>): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(settings, {
    io: 'input',
    // What only code can say, such as that a text compiles, is checked when the settings are.
    unrepresentable: 'any',
  });
  // What the library gives is JSON.
  return schema as JsonObject;
}
