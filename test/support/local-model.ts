import { createModels, type ModelDependencies } from '../../adapters/language-model/models.js';
import { modelConfigSchema } from '../../src/config/model-config.js';
import type { ModelAnswer, ModelReference, ModelRequest } from '../../src/pipeline/context.js';
import type { OpenAIServer } from './openai-server.js';

/** The key that models of a test have. */
export const KEY = 'sk-very-secret-0123456789';

/** How a model of a test differs from the plainest one. */
export interface ModelSettings {
  /** `openai` unless set. */
  readonly provider?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly deps?: Partial<ModelDependencies>;
}

/** The model `fast`, at the local server. */
export function modelAt(
  { url }: OpenAIServer,
  { provider = 'openai', options, deps }: ModelSettings = {},
): ModelReference {
  return onlyModel(
    { provider, model: 'test-model', options: { api_key: KEY, base_url: url, ...options } },
    deps,
  );
}

/** The model `fast` with exactly this configuration. */
export function onlyModel(config: unknown, deps: Partial<ModelDependencies> = {}): ModelReference {
  const models = createModels([['fast', modelConfigSchema.parse(config)]], {
    resolve: (value) => Promise.resolve(value),
    ...deps,
  });
  const model = models.get('fast');
  if (model === undefined) throw new Error('createModels left out a model');
  return model;
}

/** Asks a model something. */
export function ask(
  model: ModelReference,
  request: Partial<ModelRequest> = {},
): Promise<ModelAnswer> {
  return model.generate({ prompt: 'Hi', signal: new AbortController().signal, ...request });
}

/** What a call fails with. */
export async function failureOf(
  model: ModelReference,
  request: Partial<ModelRequest> = {},
): Promise<Error> {
  try {
    await ask(model, request);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}
