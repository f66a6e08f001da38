import { isPlainObject, type Json, type JsonObject } from '../../definition/json.js';
import { InvalidSchema, schemaCheck } from '../../contract/schema-validation.js';
import type { Attribute, SettingsProblem } from '../attribute.js';

/** What a prompt may ask for: a value of a type, with justification and confidence, or an answer of a form of one's own. */
export const PROMPT_TEMPLATES = [
  'text',
  'integer',
  'number',
  'boolean',
  'array',
  'object',
  'custom',
] as const;

export type PromptTemplate = (typeof PROMPT_TEMPLATES)[number];

/** What is asked for. */
export interface AnswerForm {
  readonly template: PromptTemplate;
  /** Of `array`: the schema of its items. Of `object`: that of the value. Of `custom`: that of the whole answer. */
  readonly schema?: JsonObject | undefined;
}

/** The JSON Schema that answers must satisfy. */
export function answerSchema(
  { template, schema }: AnswerForm,
  { allowedValues }: Pick<Attribute, 'allowedValues'>,
): JsonObject {
  if (template === 'custom') return schema ?? {};
  const value = valueSchema({ template, schema }, allowedValues);
  return {
    type: 'object',
    properties: {
      value,
      justification: { type: 'string', description: 'Why the value is this one.' },
      confidence: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        description: 'How sure that is: 0 is a guess, 1 is certain.',
      },
    },
    required: ['value', 'justification', 'confidence'],
    additionalProperties: false,
  };
}

function valueSchema({ template, schema }: AnswerForm, allowed: readonly string[] | null): Json {
  // A selection has only these: the model is told them, and held to them.
  const text = allowed === null ? { type: 'string' } : { type: 'string', enum: [...allowed] };
  switch (template) {
    case 'text':
      return text;
    case 'array':
      return { type: 'array', items: schema ?? text };
    case 'object':
      return schema ?? { type: 'object' };
    default:
      return { type: template };
  }
}

/** What is wrong with the form of an answer. */
export function answerProblems({ template, schema }: AnswerForm): readonly SettingsProblem[] {
  const problem = (message: string): readonly SettingsProblem[] => [{ path: 'schema', message }];
  if (schema === undefined)
    return template === 'custom'
      ? problem('The template custom needs the JSON Schema of the answer.')
      : [];
  if (!['array', 'object', 'custom'].includes(template))
    return problem(`The template ${template} says itself what the value is. Leave the schema out.`);
  try {
    schemaCheck(schema);
  } catch (error) {
    if (!(error instanceof InvalidSchema)) throw error;
    return problem(`It is no JSON Schema: ${error.message}.`);
  }
  if (template !== 'custom') return [];
  const { properties, required } = schema;
  const hasValue = isPlainObject(properties) && Object.hasOwn(properties, 'value');
  const needsValue = Array.isArray(required) && (required as readonly Json[]).includes('value');
  return hasValue && needsValue && schema['type'] === 'object'
    ? []
    : problem(
        'The answer is an object with a required property "value": { "type": "object", "properties": { "value": … }, "required": ["value"] }.',
      );
}

/** What an answer that satisfies its schema says. */
export interface PromptAnswer {
  readonly value: Json;
  readonly confidence: number | null;
  readonly justification: string | null;
  /** Whatever else it holds. */
  readonly meta: JsonObject;
  readonly warnings: readonly string[];
}

/** Takes an answer apart. */
export function promptAnswer(output: JsonObject, schema: JsonObject): PromptAnswer {
  const { value = null, confidence, justification, ...meta } = output;
  const { properties } = schema;
  const expected = isPlainObject(properties) ? Object.keys(properties) : [];
  const missing = expected.filter((name) => !Object.hasOwn(output, name));
  return {
    value,
    confidence: typeof confidence === 'number' ? Math.min(1, Math.max(0, confidence)) : null,
    justification: typeof justification === 'string' ? justification : null,
    meta,
    warnings: missing.map((name) => `The model leaves out "${name}", which its schema offers.`),
  };
}
