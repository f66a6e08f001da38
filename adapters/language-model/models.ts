import type { LanguageModelV3CallOptions, SharedV3Warning } from '@ai-sdk/provider';
import type { ModelConfig } from '../../src/config/model-config.js';
import { durationMs } from '../../src/definition/duration.js';
import type { ModelAnswer, ModelReference, ModelRequest } from '../../src/pipeline/context.js';
import { answerReader, asksForJson, type RawAnswer } from './answer.js';
import { modelCallError, ModelCallFailed, ModelCallRefused } from './model-call-error.js';
import { providerModel, type ProviderModel } from './provider.js';

/** What models need of the world. */
export interface ModelDependencies {
  /** Gives a text of the configuration with its references (`${ENV}`, `secret://ref`) replaced. Asked at first use. */
  readonly resolve: (value: string) => Promise<string>;
  /** Told what a provider does not support of a request, such as a temperature. Once for each model and text. */
  readonly warn?: (message: string) => void;
  /** Sends the requests; the global one unless set. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Most different warnings that are passed on for one model. */
const MAX_WARNINGS = 20;

/** Shorter texts (such as `1` in a header) are no secrets, and would be cut out of ordinary words. */
const SHORTEST_SECRET = 6;

/**
 * The models of config.yml, by name. A call makes exactly one request, since Temporal retries. It throws
 * {@link ModelCallFailed} or {@link ModelCallRefused} when there is no answer, `ModelAnswerInvalid` when there is one that
 * is no JSON, does not satisfy the schema or was cut off, and the signal's reason when that is aborted.
 */
export function createModels(
  configs: Iterable<readonly [name: string, config: ModelConfig]>,
  deps: ModelDependencies,
): ReadonlyMap<string, ModelReference> {
  return new Map([...configs].map(([name, config]) => [name, reference(name, config, deps)]));
}

/** A model that is ready to be called. */
interface ConnectedModel extends ProviderModel {
  readonly name: string;
  readonly provider: string;
  readonly options: ModelConfig['options'];
  /** Texts that must not appear in any message. */
  readonly secrets: readonly string[];
}

function reference(name: string, config: ModelConfig, deps: ModelDependencies): ModelReference {
  let connecting: Promise<ConnectedModel> | undefined;
  const connected = async (): Promise<ConnectedModel> => {
    connecting ??= connect(name, config, deps);
    try {
      return await connecting;
    } catch (error) {
      // A store of secrets may be out of reach for a moment.
      connecting = undefined;
      throw error;
    }
  };
  const warn = warnOnce(name, deps.warn);
  return {
    name,
    capabilities: config.capabilities,
    ...(config.price !== undefined && { price: config.price }),
    generate: async (request) => generate(await connected(), request, warn),
  };
}

async function connect(
  name: string,
  config: ModelConfig,
  deps: ModelDependencies,
): Promise<ConnectedModel> {
  const { provider } = config;
  const options = await resolvedOptions(config.options, deps.resolve);
  const { api_key, base_url, headers } = options;
  const refused = (message: string): ModelCallRefused =>
    new ModelCallRefused(`Model "${name}": options.base_url of config.yml ${message}`, {
      provider,
      model: name,
    });
  if (base_url !== undefined && !URL.canParse(base_url)) throw refused('is no URL.');
  if (base_url !== undefined && new URL(base_url).username !== '') {
    throw refused('holds a user name. Put credentials into options.headers.');
  }
  const secrets = [api_key ?? '', ...Object.values(headers ?? {})]
    .map((secret) => secret.trim())
    .filter((secret) => secret.length >= SHORTEST_SECRET);
  return { name, provider, options, secrets, ...providerModel({ ...config, options }, deps.fetch) };
}

async function resolvedOptions(
  { api_key, base_url, headers, ...rest }: ModelConfig['options'],
  resolve: ModelDependencies['resolve'],
): Promise<ModelConfig['options']> {
  const sent = await Promise.all(
    Object.entries(headers ?? {}).map(
      async ([header, value]) => [header, await resolve(value)] as const,
    ),
  );
  return {
    ...rest,
    ...(api_key !== undefined && { api_key: await resolve(api_key) }),
    ...(base_url !== undefined && { base_url: await resolve(base_url) }),
    ...(headers !== undefined && { headers: Object.fromEntries(sent) }),
  };
}

async function generate(
  model: ConnectedModel,
  request: ModelRequest,
  warn: (message: string) => void,
): Promise<ModelAnswer> {
  request.signal.throwIfAborted();
  const read = answerReader(model, request);
  const answer = await send(model, request);
  answer.warnings.forEach((warning) => {
    warn(describeWarning(warning));
  });
  return {
    output: read(answer),
    inputTokens: answer.inputTokens,
    outputTokens: answer.outputTokens,
  };
}

interface SentAnswer extends RawAnswer {
  readonly warnings: readonly SharedV3Warning[];
}

async function send(model: ConnectedModel, request: ModelRequest): Promise<SentAnswer> {
  const { name, provider, options } = model;
  const timeoutMs = options.timeout === undefined ? undefined : durationMs(options.timeout);
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  try {
    const signal =
      timeout === undefined ? request.signal : AbortSignal.any([request.signal, timeout]);
    const { content, finishReason, usage, warnings } = await model.model.doGenerate({
      prompt: promptOf(model, request),
      abortSignal: signal,
      providerOptions: model.providerOptions,
      ...settings(model, request),
    });
    return {
      text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
      finishReason: finishReason.unified,
      inputTokens: usage.inputTokens.total ?? 0,
      outputTokens: usage.outputTokens.total ?? 0,
      warnings,
    };
  } catch (error) {
    request.signal.throwIfAborted();
    if (timeout?.aborted === true) {
      const message = `Model "${name}" (${provider}) did not answer within ${String(timeoutMs)} ms (options.timeout in config.yml).`;
      throw new ModelCallFailed(message, { provider, model: name });
    }
    throw modelCallError(error, { provider, name, secrets: model.secrets, now: Date.now() });
  }
}

function promptOf(
  model: ConnectedModel,
  request: ModelRequest,
): LanguageModelV3CallOptions['prompt'] {
  const system = systemMessage(model, request);
  return [
    ...(system === '' ? [] : [{ role: 'system', content: system } as const]),
    { role: 'user', content: [{ type: 'text', text: request.prompt }] },
  ];
}

/** What a call sets only where somebody asked for it. */
function settings(
  model: ConnectedModel,
  request: ModelRequest,
): Partial<LanguageModelV3CallOptions> {
  const temperature = request.temperature ?? model.options.temperature;
  const maxOutputTokens = request.maxOutputTokens ?? model.options.max_output_tokens;
  const schema = model.takesSchemas ? request.schema : undefined;
  return {
    ...(temperature !== undefined && { temperature }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(asksForJson(request) && {
      responseFormat: { type: 'json', ...(schema !== undefined && { schema }) },
    }),
  };
}

/** The system message, with what the provider is not told in another way. */
function systemMessage({ takesSchemas }: ProviderModel, request: ModelRequest): string {
  const { schema, system = '' } = request;
  if (!asksForJson(request) || (takesSchemas && schema !== undefined)) return system;
  const form =
    schema === undefined
      ? 'Answer with JSON and nothing else.'
      : `Answer with JSON that satisfies this JSON Schema, and with nothing else:\n${JSON.stringify(schema)}`;
  return system === '' ? form : `${system}\n\n${form}`;
}

function describeWarning(warning: SharedV3Warning): string {
  if (!('feature' in warning)) return warning.message;
  const { feature, type, details } = warning;
  return `${feature}: ${details ?? type}`;
}

function warnOnce(name: string, warn: ModelDependencies['warn']): (message: string) => void {
  const told = new Set<string>();
  return (message) => {
    if (told.has(message) || told.size >= MAX_WARNINGS) return;
    told.add(message);
    warn?.(`model "${name}": ${message}`);
  };
}
