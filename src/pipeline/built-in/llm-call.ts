import { z } from 'zod';
import type { PropertyTypes } from '../../contract/contract.js';
import { violationsOf } from '../../contract/violation.js';
import { isPlainObject, ownMember, type Json, type JsonObject } from '../../definition/json.js';
import type { ModelAnswer, ModelReference, ModelRequest } from '../context.js';
import { defineGenericOperation } from '../operation.js';
import { permanent } from '../permanent.js';
import { answerAll } from './llm-batch.js';
import {
  answerForm,
  inputProperties,
  LLM_LIMITS,
  llmOptions,
  outputTypes,
  type AnswerForm,
  type LlmOptions,
} from './llm-options.js';
import { ModelAnswerInvalid } from './model-answer-invalid.js';
import { renderPrompt } from './prompt-template.js';
import { comingType } from './property-type.js';

/**
 * Asks a language model, once for each namespace. The prompt is a Mustache template (or a file of the project,
 * `prompt_file`); the answer is a text in one property, or JSON in one or several. What was answered before a failure is
 * not asked for again by the next attempt.
 *
 * Retried: {@link ModelAnswerInvalid}, and what the model's provider may answer better later. Not retried: what the
 * provider refuses, such as a wrong key, and `PromptTooLong`.
 *
 * @example
 * ```yaml
 * - type: llm-call
 *   model: fast
 *   options:
 *     prompt: "Give this text a title and up to three tags:\n\n{{text}}"
 *     inputs: [text]
 *     outputs: { title: string, tags: { type: array, items: { type: string } } }
 * ```
 */
export const llmCall = defineGenericOperation({
  name: 'llm-call',
  description: 'Asks a language model.',
  options: llmOptions,
  fileOptions: { prompt_file: 'prompt' },
  timeout: '5 minutes',
  capabilities: (given) => [
    ...new Set([given.capability, ...(answerForm(given).kind === 'text' ? [] : ['json'])]),
  ],
  contract: ({ options: given, incoming }) => ({
    reads: Object.fromEntries(
      Object.values(inputProperties(given)).map((property) => [
        property,
        comingType(incoming, property),
      ]),
    ),
    sets: outputTypes(given),
  }),
  runBatch: async ({
    inputs,
    options: given,
    model,
    signal,
    checkpoint,
    heartbeat,
    recordUsage,
  }) => {
    if (model === undefined)
      throw permanent('llm-call: it has no model. Name one: model: …', {}, 'ModelMissing');
    const form = answerForm(given);
    const types = outputTypes(given);
    // Properties of namespaces are JSON.
    const namespaces = inputs as readonly JsonObject[];
    return answerAll({
      count: namespaces.length,
      parallel: given.parallel,
      checkpoint,
      heartbeat,
      spent: (tokens) => {
        recordUsage({ model: model.name, ...tokens });
      },
      ask: async (index) => {
        const answer = await model.generate(request(given, form, namespaces[index] ?? {}, signal));
        const { inputTokens, outputTokens } = answer;
        return { set: answeredProperties(model, form, types, answer), inputTokens, outputTokens };
      },
    });
  },
});

function request(
  given: LlmOptions,
  form: AnswerForm,
  namespace: JsonObject,
  signal: AbortSignal,
): ModelRequest {
  const variables = Object.fromEntries(
    Object.entries(inputProperties(given)).map(([variable, property]) => [
      variable,
      ownMember(namespace, property) ?? null,
    ]),
  );
  const prompt = renderPrompt(given.prompt, variables);
  const system = given.system === undefined ? undefined : renderPrompt(given.system, variables);
  requireLength(prompt.length + (system?.length ?? 0));
  return {
    prompt,
    signal,
    ...(system !== undefined && { system }),
    ...(form.schema !== undefined && { schema: form.schema }),
    ...(form.kind !== 'text' && { json: true }),
    ...(given.temperature !== undefined && { temperature: given.temperature }),
    ...(given.max_output_tokens !== undefined && { maxOutputTokens: given.max_output_tokens }),
  };
}

function requireLength(characters: number): void {
  if (characters <= LLM_LIMITS.maxPromptCharacters) return;
  throw permanent(
    `llm-call: the prompt has ${String(characters)} characters; the most is ${String(LLM_LIMITS.maxPromptCharacters)} (maxPromptCharacters). Split the text with explode and ask about its parts.`,
    { characters, limit: LLM_LIMITS.maxPromptCharacters },
    'PromptTooLong',
  );
}

/** The properties that an answer sets. */
function answeredProperties(
  model: ModelReference,
  form: AnswerForm,
  types: PropertyTypes,
  answer: ModelAnswer,
): JsonObject {
  const invalid = (reason: string): ModelAnswerInvalid =>
    new ModelAnswerInvalid(model.name, reason, answer);
  const { output } = answer;
  switch (form.kind) {
    case 'text':
      if (typeof output !== 'string' || output.trim() === '') throw invalid('it is empty');
      return { [form.property]: output.trim() };
    case 'value':
      return checked({ [form.property]: output }, types, invalid);
    case 'members':
      if (!isPlainObject(output)) throw invalid('it is no JSON object');
      return checked(members(output, form.members), types, invalid);
  }
}

function members(output: JsonObject, names: readonly string[]): JsonObject {
  const present = names.filter((name) => Object.hasOwn(output, name));
  return Object.fromEntries(present.map((name): [string, Json] => [name, output[name] ?? null]));
}

function checked(
  set: JsonObject,
  types: PropertyTypes,
  invalid: (reason: string) => ModelAnswerInvalid,
): JsonObject {
  const parsed = z.object(types).safeParse(set);
  if (parsed.success) return set;
  throw invalid(
    violationsOf(parsed.error, set)
      .map((violation) => violation.message)
      .join('; '),
  );
}
