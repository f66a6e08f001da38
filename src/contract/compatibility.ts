import type { z } from 'zod';
import { canonicalJson, isPlainObject, ownMember, type JsonObject } from '../definition/json.js';
import { typeSchema } from './json-schema.js';

/**
 * Whether some value of the first type could be of the second: false only where no value can, such as a string for a
 * number. Constraints (lengths, ranges, formats) are left to the check at run time.
 */
export function mayFlow(from: z.ZodType, to: z.ZodType): boolean {
  return overlaps(typeSchema(from, 'output'), typeSchema(to, 'input'));
}

/** Whether two types have the same structure, constraints aside. */
export function sameType(a: z.ZodType, b: z.ZodType): boolean {
  return (
    canonicalJson(structure(typeSchema(a, 'output'))) ===
    canonicalJson(structure(typeSchema(b, 'output')))
  );
}

/** A type in a few words, for messages: `string`, `array of number`, `object`. */
export function describeType(type: z.ZodType): string {
  return describeSchema(typeSchema(type, 'output'));
}

function describeSchema(schema: JsonObject): string {
  const types = basicTypes(schema);
  if (types === undefined) return 'any value';
  return [...types]
    .map((name) => {
      const { items } = schema;
      return name === 'array' && isPlainObject(items) ? `array of ${describeSchema(items)}` : name;
    })
    .join(' or ');
}

function overlaps(from: JsonObject, to: JsonObject): boolean {
  const given = basicTypes(from);
  const wanted = basicTypes(to);
  if (given === undefined || wanted === undefined) return true;
  const shared = [...given].filter((type) => accepts(wanted, type));
  if (shared.length === 0) return false;
  // Unions of several types are left to the run; one type on both sides is looked into.
  if (given.size > 1 || wanted.size > 1) return true;
  return shared[0] === 'array'
    ? itemsOverlap(from, to)
    : shared[0] === 'object'
      ? membersOverlap(from, to)
      : true;
}

function accepts(wanted: ReadonlySet<string>, given: string): boolean {
  if (wanted.has(given)) return true;
  // Any integer is a number, and a number may happen to be an integer.
  return (
    (given === 'integer' && wanted.has('number')) || (given === 'number' && wanted.has('integer'))
  );
}

function itemsOverlap(from: JsonObject, to: JsonObject): boolean {
  const { items: given } = from;
  const { items: wanted } = to;
  return isPlainObject(given) && isPlainObject(wanted) ? overlaps(given, wanted) : true;
}

function membersOverlap(from: JsonObject, to: JsonObject): boolean {
  const given = members(from);
  const wanted = members(to);
  const required = Array.isArray(to['required']) ? (to['required'] as readonly string[]) : [];
  const closed = from['additionalProperties'] === false;
  return Object.entries(wanted).every(([name, type]) => {
    const source = ownMember(given, name);
    if (source === undefined) return !(closed && required.includes(name));
    return overlaps(source, type);
  });
}

function members(schema: JsonObject): Record<string, JsonObject> {
  const { properties } = schema;
  return isPlainObject(properties) ? (properties as Record<string, JsonObject>) : {};
}

/** The JSON types a schema allows, or undefined where it does not say. */
function basicTypes(schema: JsonObject): Set<string> | undefined {
  const { type, anyOf, oneOf, allOf, const: constant, enum: values } = schema;
  if (typeof type === 'string') return new Set([type]);
  if (Array.isArray(type)) return new Set(type as readonly string[]);
  if (constant !== undefined) return new Set([jsonType(constant)]);
  if (Array.isArray(values)) return new Set(values.map(jsonType));
  if (Array.isArray(allOf)) {
    // A value of all of them is one of each.
    const parts = (allOf as readonly JsonObject[]).map(basicTypes);
    return parts.find((types) => types !== undefined);
  }
  const options = anyOf ?? oneOf;
  if (!Array.isArray(options)) return undefined;
  const all = new Set<string>();
  for (const option of options as readonly JsonObject[]) {
    const types = basicTypes(option);
    if (types === undefined) return undefined;
    types.forEach((name) => all.add(name));
  }
  return all;
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const STRUCTURAL = new Set([
  'type',
  'items',
  'prefixItems',
  'properties',
  'additionalProperties',
  'anyOf',
  'oneOf',
  'allOf',
]);

function structure(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(structure);
  if (!isPlainObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => STRUCTURAL.has(key))
      .map(([key, value]) => [
        key,
        key === 'properties' && isPlainObject(value)
          ? Object.fromEntries(
              Object.entries(value).map(([name, member]) => [name, structure(member)]),
            )
          : structure(value),
      ]),
  );
}
