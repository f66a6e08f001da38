import { z } from 'zod';
import { anyValue } from '../../contract/contract.js';
import { ownMember } from '../../definition/json.js';
import { defineGenericOperation } from '../operation.js';

/** Limits of {@link log}. */
export const LOG_LIMITS = {
  /** Longest text that a log line repeats of one field, in characters. */
  maxFieldCharacters: 1_000,
} as const;

const options = z.object({
  message: z.string().min(1).optional(),
  /** Properties that the line shows; those that a namespace lacks are left out. */
  fields: z.array(z.string().min(1)).default([]),
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

/**
 * Writes one log line for each namespace and lets it through unchanged. The line carries the run, the stage and the
 * operation beside the fields.
 *
 * @example
 * ```yaml
 * - type: log
 *   options: { message: counted, fields: [words], level: debug }
 * ```
 */
export const log = defineGenericOperation({
  name: 'log',
  description: 'Writes one log line for each namespace.',
  options,
  quick: true,
  contract: ({ options: { fields }, incoming }) => ({
    reads: Object.fromEntries(
      fields.map((field) => [field, (ownMember(incoming, field) ?? anyValue).optional()]),
    ),
  }),
  run: ({ input, options: { fields, message, level }, log: logger }) => {
    const shown = fields
      .filter((field) => ownMember(input, field) !== undefined)
      .map((field) => [field, clip(input[field])] as const);
    logger[level](Object.fromEntries(shown), message ?? 'namespace');
    return {};
  },
});

function clip(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.length <= LOG_LIMITS.maxFieldCharacters) return value;
  return `${text.slice(0, LOG_LIMITS.maxFieldCharacters)}… (${String(text.length)} characters)`;
}
