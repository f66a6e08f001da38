import type { LanguageModelV3, SharedV3ProviderOptions } from '@ai-sdk/provider';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { ModelConfig } from '../../src/config/model-config.js';

/** A model behind the interface of the AI SDK's providers, bound to its provider and key. */
export interface ProviderModel {
  readonly model: LanguageModelV3;
  /** Whether JSON Schemas are sent to the provider as such. */
  readonly takesSchemas: boolean;
  readonly providerOptions: SharedV3ProviderOptions;
}

/** A model in the provider's wire format. References in the configuration have been resolved. */
export function providerModel(
  { provider, model, options }: ModelConfig,
  fetch?: typeof globalThis.fetch,
): ProviderModel {
  const {
    api_key: apiKey,
    base_url: baseURL,
    headers,
    structured_outputs,
    strict_json_schema: strictJsonSchema = false,
  } = options;
  const settings = {
    ...(apiKey !== undefined && { apiKey }),
    ...(baseURL !== undefined && { baseURL }),
    ...(headers !== undefined && { headers }),
    ...(fetch !== undefined && { fetch }),
  };
  switch (provider) {
    case 'anthropic':
      return {
        model: createAnthropic(settings)(model),
        takesSchemas: structured_outputs ?? true,
        providerOptions: {},
      };
    case 'google':
      return {
        model: createGoogleGenerativeAI(settings)(model),
        takesSchemas: structured_outputs ?? true,
        providerOptions: {},
      };
    case 'openai':
    case 'openai-compatible': {
      if (baseURL === undefined) {
        const takesSchemas = structured_outputs ?? true;
        return {
          model: createOpenAI(settings)(model),
          takesSchemas,
          providerOptions: { openai: { strictJsonSchema } },
        };
      }
      // OpenAI's own SDK names newer fields and takes a key from the environment, which is not for other servers.
      const takesSchemas = structured_outputs ?? false;
      const compatible = createOpenAICompatible({
        ...settings,
        baseURL,
        name: 'openai',
        supportsStructuredOutputs: takesSchemas,
      });
      return {
        model: compatible(model),
        takesSchemas,
        providerOptions: { openaiCompatible: { strictJsonSchema } },
      };
    }
  }
}
