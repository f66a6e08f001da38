import { isPlainObject, type Json, type JsonObject } from '../definition/json.js';
import type { InputContract } from './input-contract.js';
import { ContractViolation } from './violation.js';

/** How deep examples of objects and lists go; what is deeper is left empty. */
const MAX_DEPTH = 6;

const TEXT = 'The quick brown fox jumps over the lazy dog.';

/** Examples of texts in the formats that zod names. */
const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  duration: 'PT5M',
  email: 'somebody@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  time: '12:00:00',
  uri: 'https://example.com/',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
};

/**
 * An input that satisfies a contract, to show what a run can be started with: what the types give as examples
 * (`.meta({ examples: [...] })`) or defaults, else something plain of the right type. Optional properties are left out.
 * Undefined where nothing that satisfies the contract was found, such as for a pattern without an example.
 */
export function exampleInput({ inputSchema, checkInput }: InputContract): JsonObject | undefined {
  const example = exampleOf(inputSchema, 0);
  if (!isPlainObject(example)) return undefined;
  try {
    // An example of JSON Schema is JSON.
    checkInput(example);
    return example;
  } catch (error) {
    if (error instanceof ContractViolation) return undefined;
    throw error;
  }
}

/**
 * Whether an input is an example of these types in every part, or also of types of which nothing is known: operations may
 * expect something else of those.
 */
export function isCertainExample({ inputSchema }: InputContract, input: JsonObject): boolean {
  return isCertain(inputSchema, input, 0);
}

function isCertain(schema: unknown, example: Json | undefined, depth: number): boolean {
  if (example === undefined) return true;
  if (!isPlainObject(schema) || depth > MAX_DEPTH) return false;
  if (['examples', 'example', 'default', 'const', 'enum'].some((key) => key in schema)) return true;
  const { allOf, properties, items, type } = schema;
  if (Array.isArray(allOf)) return allOf.some((part) => isCertain(part, example, depth + 1));
  const alternatives = firstOf(schema['anyOf']) ?? firstOf(schema['oneOf']);
  if (alternatives !== undefined) return isCertain(alternatives, example, depth + 1);
  // TypeScript's own check does not know readonly lists.
  if (Array.isArray(example))
    return (example as readonly Json[]).every((item) => isCertain(items, item, depth + 1));
  if (!isPlainObject(example)) return type !== undefined;
  const members = isPlainObject(properties) ? properties : {};
  return Object.entries(example as JsonObject).every(([name, member]) =>
    isCertain(members[name], member, depth + 1),
  );
}

function exampleOf(schema: unknown, depth: number): Json {
  if (!isPlainObject(schema) || depth > MAX_DEPTH) return TEXT;
  const given =
    firstOf(schema['examples']) ??
    schema['example'] ??
    schema['default'] ??
    schema['const'] ??
    firstOf(schema['enum']);
  // Schemas are JSON themselves.
  if (given !== undefined) return given as Json;
  const { allOf } = schema;
  if (Array.isArray(allOf))
    return exampleOf(Object.assign({}, ...allOf.filter(isPlainObject)), depth + 1);
  const alternatives = firstOf(schema['anyOf']) ?? firstOf(schema['oneOf']);
  if (alternatives !== undefined) return exampleOf(alternatives, depth + 1);
  switch (typeOf(schema)) {
    case 'object':
      return objectExample(schema, depth);
    case 'array':
      return listExample(schema, depth);
    case 'number':
    case 'integer':
      return numberExample(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return textExample(schema);
  }
}

function typeOf({ type }: Record<string, unknown>): unknown {
  return Array.isArray(type) ? type[0] : type;
}

function objectExample(
  { properties, required }: Record<string, unknown>,
  depth: number,
): JsonObject {
  const types = isPlainObject(properties) ? properties : {};
  const names = Array.isArray(required)
    ? required.filter((name): name is string => typeof name === 'string')
    : [];
  return Object.fromEntries(names.map((name) => [name, exampleOf(types[name], depth + 1)]));
}

function listExample({ items, minItems }: Record<string, unknown>, depth: number): readonly Json[] {
  const length = typeof minItems === 'number' ? Math.min(Math.max(1, minItems), 10) : 1;
  return Array.from({ length }, () => exampleOf(items, depth + 1));
}

function numberExample({ minimum, exclusiveMinimum, maximum }: Record<string, unknown>): number {
  const least =
    typeof minimum === 'number'
      ? minimum
      : typeof exclusiveMinimum === 'number'
        ? exclusiveMinimum + 1
        : 1;
  // zod's integers are bounded by what a double can count.
  const wanted = Math.max(1, least);
  return typeof maximum === 'number' ? Math.min(wanted, maximum) : wanted;
}

function textExample({ format, minLength, maxLength }: Record<string, unknown>): string {
  const known = typeof format === 'string' ? FORMATS[format] : undefined;
  if (known !== undefined) return known;
  const padded =
    typeof minLength === 'number'
      ? TEXT.repeat(Math.min(100, Math.ceil(Math.max(1, minLength) / TEXT.length)))
      : TEXT;
  return typeof maxLength === 'number' ? padded.slice(0, Math.max(0, maxLength)) : padded;
}

function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined;
}
