import { schemaCheck } from '../../src/contract/schema-validation.js';
import type { Json } from '../../src/definition/json.js';
import { ModelAnswerInvalid } from '../../src/pipeline/built-in/model-answer-invalid.js';
import type { ModelRequest } from '../../src/pipeline/context.js';
import { ModelCallRefused } from './model-call-error.js';

/** What came back from a provider. */
export interface RawAnswer {
  readonly text: string;
  /** Why the model stopped, in the words of the AI SDK: `stop`, `length`, `content-filter`, … */
  readonly finishReason: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Makes what was asked for out of what came back. */
export type AnswerReader = (answer: RawAnswer) => Json;

/** The model whose answers are read. */
export interface AnsweringModel {
  /** Its name in config.yml. */
  readonly name: string;
  readonly provider: string;
}

/**
 * How answers to a request are read: the text as it is, or parsed JSON that satisfies the request's schema. The reader
 * throws {@link ModelAnswerInvalid}, or {@link ModelCallRefused} where a content filter stopped the model.
 *
 * @throws {@link ModelCallRefused} when the request's schema is no JSON Schema
 */
export function answerReader(
  { name, provider }: AnsweringModel,
  request: ModelRequest,
): AnswerReader {
  const refused = (message: string): ModelCallRefused =>
    new ModelCallRefused(message, { provider, model: name });
  const violation = requestedSchema(request, refused);
  return (answer) => {
    const invalid = (reason: string): ModelAnswerInvalid => {
      const { inputTokens, outputTokens } = answer;
      return new ModelAnswerInvalid(name, reason, { inputTokens, outputTokens });
    };
    if (answer.finishReason === 'length')
      throw invalid('it was cut off at its longest length (max_output_tokens)');
    if (answer.finishReason === 'content-filter')
      throw refused(`A content filter of ${provider} stopped model "${name}".`);
    if (!asksForJson(request)) return answer.text;
    const value = parsedJson(answer.text);
    if (value === undefined) throw invalid(`it is no JSON: ${excerpt(answer.text)}`);
    const wrong = violation(value);
    if (wrong !== undefined) throw invalid(`it does not satisfy the schema: ${wrong}`);
    return value;
  };
}

/** Whether the answer to a request is JSON. */
export function asksForJson({ json, schema }: ModelRequest): boolean {
  return json === true || schema !== undefined;
}

function requestedSchema(
  { schema }: ModelRequest,
  refused: (message: string) => ModelCallRefused,
): (value: unknown) => string | undefined {
  if (schema === undefined) return () => undefined;
  try {
    return schemaCheck(schema);
  } catch (error) {
    throw refused(
      `The schema that an answer must satisfy is no JSON Schema: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** JSON, also within a Markdown code block, as many models write it. Undefined for anything else. */
function parsedJson(text: string): Json | undefined {
  try {
    return JSON.parse(withoutFence(text.trim())) as Json;
  } catch {
    return undefined;
  }
}

const FENCE = '```';

function withoutFence(text: string): string {
  const firstBreak = text.indexOf('\n');
  if (!text.startsWith(FENCE) || !text.endsWith(FENCE) || firstBreak === -1) return text;
  return text.slice(firstBreak + 1, -FENCE.length);
}

/** Longest part of an answer that a message repeats, in characters. */
const MAX_EXCERPT = 80;

function excerpt(text: string): string {
  return JSON.stringify(text.length <= MAX_EXCERPT ? text : `${text.slice(0, MAX_EXCERPT)}…`);
}
