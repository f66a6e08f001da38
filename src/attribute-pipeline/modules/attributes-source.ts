import { z } from 'zod';
import type { Json } from '../../definition/json.js';
import { defineModule, moduleResult } from '../module.js';
import { VALUE_VIEWS } from '../value.js';

/** Most attributes that one source reads. */
const MAX_ATTRIBUTES = 100;

const settings = z.strictObject({
  attributes: z
    .array(z.string())
    .min(1)
    .max(MAX_ATTRIBUTES)
    .refine((names) => new Set(names).size === names.length, 'names an attribute twice')
    .meta({
      title: 'Attributes',
      description: 'What the value is computed from.',
      widget: 'attributes',
    }),
  view: z.enum(VALUE_VIEWS).default('with_override').meta({
    title: 'View',
    description:
      'Which of their values: what counts (an override before what is beneath it), what was computed, what was approved, or what was exported.',
  }),
});

/** The source of most pipelines: attributes of the entity itself. */
export const attributesSource = defineModule({
  slug: 'attributes_source',
  label: 'Attributes',
  description: 'Reads attributes of the entity.',
  type: 'source',
  settings,
  inputAttributes: ({ attributes }) => attributes,
  inputView: ({ view }) => view,
  process: (contexts, { settings: { attributes } }) =>
    contexts.map(({ inputs }) => {
      const read: Record<string, Json> = {};
      for (const name of attributes) read[name] = inputs[name] ?? null;
      return moduleResult.ok(read);
    }),
});
