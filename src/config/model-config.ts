import { z } from 'zod';
import { durationMs, InvalidDuration } from '../definition/duration.js';

/** The wire formats in which language models are spoken to. */
export const MODEL_PROVIDERS = ['openai', 'anthropic', 'google', 'openai-compatible'] as const;

/** One of {@link MODEL_PROVIDERS}. */
export type ModelProvider = (typeof MODEL_PROVIDERS)[number];

const text = z.string().min(1);

const duration = z.union([z.string(), z.number()]).superRefine((value, context) => {
  try {
    durationMs(value);
  } catch (error) {
    if (!(error instanceof InvalidDuration)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

const modelOptions = z.strictObject({
  /** Unless set, what the provider's own variable says (`OPENAI_API_KEY`, …); `openai` with a `base_url` has none then. */
  api_key: text.exactOptional(),
  /** Where the provider's API is: `http://127.0.0.1:11434/v1`. */
  base_url: text.exactOptional(),
  /** HTTP headers of every request. */
  headers: z.record(text, z.string()).exactOptional(),
  /** Used where an operation asks for none. */
  temperature: z.number().min(0).max(2).exactOptional(),
  /** Used where an operation asks for none. */
  max_output_tokens: z.int().positive().exactOptional(),
  /** Longest time of one call, such as `60s`; the operation's limits hold besides. */
  timeout: duration.exactOptional(),
  /**
   * Whether the model is sent JSON Schemas as such. Unless set: true, but false where `base_url` is set for `openai` or
   * `openai-compatible`. Where false, the schema is part of the system message.
   */
  structured_outputs: z.boolean().exactOptional(),
  /** OpenAI's strict mode for JSON Schemas, which takes only some schemas. Unless set: false. */
  strict_json_schema: z.boolean().exactOptional(),
});

/**
 * One model of config.yml. Texts may hold references (`${ENV}`, `secret://ref`), which are resolved where the model is
 * used. Unknown keys are refused.
 *
 * @example
 * ```yml
 * models:
 *   fast:
 *     provider: openai
 *     model: gpt-5-mini
 *     capabilities: [text, json]
 *     options: { api_key: '${OPENAI_API_KEY}', timeout: 60s }
 *     price: { input: 0.25, output: 2 }
 * ```
 */
export const modelConfigSchema = z
  .strictObject({
    provider: z.enum(MODEL_PROVIDERS),
    /** The provider's name of the model. */
    model: text,
    /** What operations may ask of it: `text`, `json`, and whatever a project's own operations name. */
    capabilities: z.array(text).default(['text']),
    options: modelOptions.prefault({}),
    /** What a million tokens cost, in the currency that all prices here are in. Costs are told in it. */
    price: z
      .strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative() })
      .exactOptional(),
  })
  .superRefine(({ provider, options }, context) => {
    if (provider === 'openai-compatible' && options.base_url === undefined) {
      const message =
        'a provider of openai-compatible needs it. Write base_url: http://127.0.0.1:11434/v1';
      context.addIssue({ code: 'custom', path: ['options', 'base_url'], message });
    }
  });

/** A model of config.yml, checked; references in it are still references. */
export type ModelConfig = z.output<typeof modelConfigSchema>;
