import { z } from 'zod';
import { anyValue, type PropertyTypes } from '../../contract/contract.js';
import { InvalidSchema, schemaCheck } from '../../contract/schema-validation.js';
import { isPlainObject, ownMember, type Json, type JsonObject } from '../../definition/json.js';
import { suggestion } from '../../definition/suggestion.js';
import { templateProblem } from './prompt-template.js';
import { basicType } from './property-type.js';

/** Limits of `llm-call`. */
export const LLM_LIMITS = {
  /** Longest prompt after its variables are filled in, in characters. */
  maxPromptCharacters: 1_000_000,
  /** Most calls at once. */
  maxParallel: 50,
  /** Largest checkpoint of finished answers; those beyond it are asked for again by the next attempt. */
  maxCheckpointBytes: 256 * 1024,
} as const;

const name = z.string().min(1);

/** Types that `outputs` can name. */
const TYPE_NAMES = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'any'] as const;

/** A type's name, a JSON Schema, or null where the whole `schema` says it. */
const outputType = z.union([z.enum(TYPE_NAMES), z.record(z.string(), z.json()), z.null()]);

/** The options of `llm-call`. */
export const llmOptions = z
  .object({
    /** What the model must be able to do. */
    capability: name.default('text'),
    /** Mustache template of the prompt. */
    prompt: name,
    /** Mustache template of the system message. */
    system: name.optional(),
    /** Variable of the templates -> property; a list stands for variables called like their properties. */
    inputs: z.union([z.array(name), z.record(name, name)]).default([]),
    /** The property that gets the whole answer, or the members of a JSON answer and their types. */
    outputs: z.union([name, z.array(name).min(1), z.record(name, outputType)]),
    /** Whether the answer is JSON. Unless set: when there is a schema, several outputs, or one that is no text. */
    json: z.boolean().optional(),
    /** JSON Schema of the whole answer. Unless set, it follows from the types of the outputs. */
    schema: z.record(z.string(), z.json()).optional(),
    temperature: z.number().min(0).max(2).optional(),
    max_output_tokens: z.int().positive().optional(),
    /** Most calls at once, where there are several namespaces. */
    parallel: z.int().min(1).max(LLM_LIMITS.maxParallel).default(5),
  })
  .superRefine((given, context) => {
    for (const { path, message } of problems(given))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

/** Parsed options of `llm-call`. */
export type LlmOptions = z.output<typeof llmOptions>;

/** The templates' variables, and the property that each stands for. */
export function inputProperties({ inputs }: LlmOptions): Readonly<Record<string, string>> {
  return isList(inputs) ? Object.fromEntries(inputs.map((input) => [input, input])) : inputs;
}

/** How the answer becomes properties: as a text, as one JSON value, or member by member. */
export type AnswerForm =
  | { readonly kind: 'text'; readonly property: string; readonly schema?: never }
  | { readonly kind: 'value'; readonly property: string; readonly schema?: JsonObject }
  | { readonly kind: 'members'; readonly members: readonly string[]; readonly schema: JsonObject };

/** The form of the answer that these options ask for. */
export function answerForm(options: LlmOptions): AnswerForm {
  const { outputs, schema } = options;
  const names = outputNames(options);
  const [only = ''] = names;
  if (!isJsonMode(options)) return { kind: 'text', property: only };
  if (typeof outputs === 'string')
    return { kind: 'value', property: outputs, ...(schema !== undefined && { schema }) };
  return { kind: 'members', members: names, schema: schema ?? membersSchema(options) };
}

/** The properties that the answer sets, with their basic types. */
export function outputTypes(options: LlmOptions): PropertyTypes {
  const form = answerForm(options);
  if (form.kind === 'text') return { [form.property]: z.string() };
  if (form.kind === 'value')
    return { [form.property]: form.schema === undefined ? anyValue : basicType(form.schema) };
  const properties = schemaProperties(form.schema) ?? {};
  const written = writtenTypes(options);
  return Object.fromEntries(
    form.members.map((member) => [
      member,
      basicType(ownMember(written, member) ?? ownMember(properties, member)),
    ]),
  );
}

function isJsonMode(options: LlmOptions): boolean {
  const { json, outputs, schema } = options;
  if (json !== undefined) return json;
  if (schema !== undefined) return true;
  if (typeof outputs === 'string') return false;
  const types = Object.values(writtenTypes(options));
  return outputNames(options).length > 1 || types.some((type) => type?.['type'] !== 'string');
}

function outputNames({ outputs }: LlmOptions): readonly string[] {
  if (typeof outputs === 'string') return [outputs];
  return isList(outputs) ? outputs : Object.keys(outputs);
}

/** The JSON Schemas that the outputs themselves give. */
function writtenTypes({ outputs }: LlmOptions): Readonly<Record<string, JsonObject | undefined>> {
  if (typeof outputs === 'string' || isList(outputs)) return {};
  return Object.fromEntries(
    Object.entries(outputs).map(([output, type]) => [
      output,
      typeof type === 'string' ? namedType(type) : (type ?? undefined),
    ]),
  );
}

function namedType(type: (typeof TYPE_NAMES)[number]): JsonObject {
  if (type === 'any') return {};
  return type === 'array' ? { type, items: {} } : { type };
}

function membersSchema(options: LlmOptions): JsonObject {
  const types = writtenTypes(options);
  const members = outputNames(options);
  return {
    type: 'object',
    properties: Object.fromEntries(
      members.map((member) => [member, ownMember(types, member) ?? {}]),
    ),
    required: [...members],
    additionalProperties: false,
  };
}

interface OptionProblem {
  readonly path: readonly string[];
  readonly message: string;
}

function problems(options: LlmOptions): readonly OptionProblem[] {
  const variables = Object.keys(inputProperties(options));
  return (['prompt', 'system'] as const)
    .flatMap((option): OptionProblem[] => {
      const message = templateProblem(options[option] ?? '', variables);
      return message === undefined ? [] : [{ path: [option], message }];
    })
    .concat(outputProblems(options));
}

function outputProblems(options: LlmOptions): readonly OptionProblem[] {
  const form = answerForm(options);
  if (form.kind === 'text') return textProblems(options);
  const unusable = form.schema === undefined ? undefined : schemaProblem(form.schema);
  if (unusable !== undefined)
    return [{ path: [options.schema === undefined ? 'outputs' : 'schema'], message: unusable }];
  return form.kind === 'members' && options.schema !== undefined
    ? memberProblems(form.members, options.schema)
    : [];
}

function textProblems(options: LlmOptions): readonly OptionProblem[] {
  const names = outputNames(options);
  if (names.length !== 1) {
    const count = names.length === 0 ? 'none' : String(names.length);
    return [
      {
        path: ['outputs'],
        message: `a text answer sets one property, not ${count}. Several take json: true`,
      },
    ];
  }
  if (options.schema !== undefined)
    return [{ path: ['schema'], message: 'a text answer has no schema. Remove json: false' }];
  const type = Object.values(writtenTypes(options))[0];
  if (type === undefined || type['type'] === 'string') return [];
  return [
    { path: ['outputs'], message: 'a text answer is a string. Remove json: false for other types' },
  ];
}

/** A schema under which an answer may lack an output would only be found out by failing calls. */
function memberProblems(members: readonly string[], schema: JsonObject): readonly OptionProblem[] {
  const properties = schemaProperties(schema);
  if (properties === undefined) return [];
  const { required } = schema;
  const needed = Array.isArray(required) ? required : [];
  return members.flatMap((member): OptionProblem[] => {
    if (!Object.hasOwn(properties, member)) {
      const hint = suggestion(member, Object.keys(properties)).replace(/\.$/, '');
      return [
        {
          path: ['outputs'],
          message: `"${member}" is not among the properties of the schema.${hint}`,
        },
      ];
    }
    if (needed.includes(member)) return [];
    return [
      {
        path: ['schema'],
        message: `the output "${member}" is not required by it. Add it to the schema's required`,
      },
    ];
  });
}

function schemaProperties({ properties }: JsonObject): JsonObject | undefined {
  // A plain object in a JSON value is a JSON object.
  return isPlainObject(properties) ? properties : undefined;
}

function schemaProblem(schema: JsonObject): string | undefined {
  try {
    schemaCheck(schema);
    return undefined;
  } catch (error) {
    if (!(error instanceof InvalidSchema)) throw error;
    return `it is no usable JSON Schema: ${error.message}`;
  }
}

function isList(
  value: Json | readonly string[] | Readonly<Record<string, unknown>>,
): value is readonly string[] {
  return Array.isArray(value);
}
