import { z } from 'zod';
import { unknownName } from '../../definition/unknown-name.js';
import { isPlainObject, type Json, type JsonObject } from '../../definition/json.js';
import { ModelAnswerInvalid } from '../../pipeline/built-in/model-answer-invalid.js';
import type { ModelAnswer, ModelReference, ModelUsage } from '../../pipeline/context.js';
import {
  defineModule,
  moduleResult,
  type ModuleContext,
  type ModuleResult,
  type ModuleSurroundings,
} from '../module.js';
import { answerProblems, answerSchema, PROMPT_TEMPLATES, promptAnswer } from './prompt-answer.js';

/** Bounds of a prompt. */
const PROMPT_LIMITS = {
  promptCharacters: 100_000,
  /** Characters of a prompt with its inputs. */
  sentCharacters: 1_000_000,
  concurrency: 100,
  /** Times that a call which the provider could not take is made. */
  calls: 6,
  firstWaitMs: 500,
  longestWaitMs: 300_000,
} as const;

const settings = z.strictObject({
  model: z.string().min(1).meta({
    title: 'Model',
    description: 'The name of a model in config.yml.',
    widget: 'model',
  }),
  prompt: z.string().min(1).max(PROMPT_LIMITS.promptCharacters).meta({
    title: 'Prompt',
    description: 'What the model is asked. The inputs follow, one line each: Name: Value.',
    widget: 'textarea',
  }),
  system: z.string().min(1).max(PROMPT_LIMITS.promptCharacters).exactOptional().meta({
    title: 'System message',
    description: 'What the model is told about its task beside the prompt.',
    widget: 'textarea',
  }),
  template: z.enum(PROMPT_TEMPLATES).default('text').meta({
    title: 'Answer',
    description:
      'The type of the value. Beside it the model gives a justification and its confidence; custom has a schema of its own.',
  }),
  schema: z.custom<JsonObject>(isPlainObject, 'a JSON Schema is an object').exactOptional().meta({
    title: 'JSON Schema',
    description:
      'Of array: its items. Of object: the value. Of custom: the whole answer, with "value" among its required properties.',
    widget: 'json_schema',
    type: 'object',
  }),
  max_output_tokens: z.int().positive().exactOptional().meta({
    title: 'Output tokens',
    description: 'Most tokens of an answer.',
  }),
  concurrency: z.int().min(1).max(PROMPT_LIMITS.concurrency).default(10).meta({
    title: 'Concurrency',
    description: 'Calls to the model at once.',
  }),
  attempts: z.int().min(1).max(5).default(3).meta({
    title: 'Attempts',
    description: 'How often the model is asked when its answer does not satisfy the schema.',
  }),
});

type Settings = z.output<typeof settings>;
type Surroundings = ModuleSurroundings<Settings>;

/** Asks a language model. */
export const aiPrompt = defineModule({
  slug: 'ai_prompt',
  label: 'AI prompt',
  description: 'Asks a language model for the value.',
  type: 'processor',
  settings,
  timeoutSeconds: 3_000,
  validateSettings: (given, { models }) => [
    ...(models.includes(given.model)
      ? []
      : [{ path: 'model', message: unknownName(given.model, models, 'model') }]),
    ...answerProblems(given),
  ],
  process: async (contexts, surroundings) => {
    const { settings: given, attribute, model: named, limit } = surroundings;
    const asking = new Asking(named(given.model), answerSchema(given, attribute), surroundings);
    const inTurn = limit(given.concurrency);
    return Promise.all(contexts.map((context) => inTurn(() => asking.ask(context))));
  },
});

/** The calls of one batch: what one of them learns of the provider holds for the others, too. */
class Asking {
  /** The provider wants no calls before its end. */
  #pause: Promise<unknown> = Promise.resolve();
  /** Why no other call is any use: a wrong key, a model that is not there. */
  #refusal: string | undefined;

  constructor(
    private readonly model: ModelReference,
    private readonly schema: JsonObject,
    private readonly surroundings: Surroundings,
  ) {}

  /** Errors are results: what other calls of the batch have cost must not be lost with it. */
  async ask(context: ModuleContext): Promise<ModuleResult> {
    const { attempts } = this.surroundings.settings;
    const prompt = this.#prompt(context);
    if (prompt.length > PROMPT_LIMITS.sentCharacters)
      return moduleResult.error(
        `the prompt with its inputs has ${String(prompt.length)} characters; the most are ${String(PROMPT_LIMITS.sentCharacters)}`,
      );
    const usage: ModelUsage[] = [];
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.#call(prompt);
        usage.push(this.#usageOf(answer));
        return this.#resultOf(answer.output, usage);
      } catch (error) {
        this.surroundings.signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        if (!(error instanceof ModelAnswerInvalid)) return moduleResult.error(message, usage);
        usage.push(this.#usageOf(error.usage));
        if (attempt >= attempts) return moduleResult.error(message, usage);
      }
    }
  }

  #prompt({ inputs }: ModuleContext): string {
    const { labelOf, settings: given } = this.surroundings;
    const lines = Object.entries(inputs).map(
      ([name, value]) => `${labelOf(name)}: ${valueText(value)}`,
    );
    return lines.length === 0 ? given.prompt : `${given.prompt}\n\n${lines.join('\n')}`;
  }

  /** @throws what the model has thrown last, when the provider could not take the call in time */
  async #call(prompt: string): Promise<ModelAnswer> {
    const { signal, settings: given } = this.surroundings;
    for (let call = 1; ; call += 1) {
      if (this.#refusal !== undefined) throw new Error(this.#refusal);
      await this.#pause;
      signal.throwIfAborted();
      try {
        return await this.model.generate({
          prompt,
          schema: this.schema,
          temperature: 0,
          signal,
          ...(given.system !== undefined && { system: given.system }),
          ...(given.max_output_tokens !== undefined && {
            maxOutputTokens: given.max_output_tokens,
          }),
        });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ModelAnswerInvalid || !(error instanceof Error)) throw error;
        if (!isBusy(error)) {
          if (refusesAll(error)) this.#refusal = error.message;
          throw error;
        }
        if (call >= PROMPT_LIMITS.calls) throw error;
        this.#slowDown(error.retryAfterMs ?? PROMPT_LIMITS.firstWaitMs * 2 ** (call - 1));
      }
    }
  }

  #slowDown(waitMs: number): void {
    const wait = this.surroundings.sleep(Math.min(waitMs, PROMPT_LIMITS.longestWaitMs));
    // Whoever waits for it looks at the signal afterwards.
    this.#pause = Promise.allSettled([this.#pause, wait]);
  }

  #usageOf({ inputTokens, outputTokens }: Omit<ModelUsage, 'model'>): ModelUsage {
    return { model: this.model.name, inputTokens, outputTokens };
  }

  #resultOf(output: Json, usage: readonly ModelUsage[]): ModuleResult {
    // It satisfies the schema, which is that of an object.
    const { value, meta, ...about } = promptAnswer(output as JsonObject, this.schema);
    return moduleResult.ok(value, { ...about, meta: { ...meta, model: this.model.name }, usage });
  }
}

/** HTTP statuses of a wrong key, of one that may not do this, and of a model that is not there. */
const REFUSES_ALL: readonly unknown[] = [401, 403, 404];

function refusesAll(error: Error): boolean {
  return (
    error.name === 'ModelCallRefused' && 'status' in error && REFUSES_ALL.includes(error.status)
  );
}

/** A call that the provider may take later. */
function isBusy(error: Error): error is Error & { readonly retryAfterMs?: number } {
  return 'retryable' in error && error.retryable === true;
}

function valueText(value: Json): string {
  if (value === null) return '(none)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
