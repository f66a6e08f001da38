import { z } from 'zod';
import { duration } from './config-schema.js';
import type { ConfigOption } from './config-options.js';

/** What an option takes, in words: `text`, `list of texts`, `duration`. */
export function optionType({ schema, isCode }: ConfigOption): string {
  return isCode ? 'code' : typeOf(schema);
}

function typeOf(schema: z.core.$ZodType): string {
  if (schema === duration) return 'duration';
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return 'text';
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return '`true`, `false`';
  if (schema instanceof z.ZodLiteral)
    return [...schema.values].map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema instanceof z.ZodEnum)
    return schema.options.map((value) => `\`'${String(value)}'\``).join(', ');
  if (schema instanceof z.ZodArray) return `list of ${plural(typeOf(schema.element))}`;
  // A union of objects is told by its text.
  if (schema instanceof z.ZodDiscriminatedUnion || schema instanceof z.ZodObject) return 'object';
  if (schema instanceof z.ZodUnion)
    return [...new Set(schema.options.map((option) => typeOf(option)))].join(', ');
  // What follows what was written is of no interest to who writes it.
  if (schema instanceof z.ZodPipe) return typeOf(schema.def.in);
  return "Temporal's own";
}

function plural(type: string): string {
  return /^(?:text|number|object)$/.test(type) ? `${type}s` : type;
}
