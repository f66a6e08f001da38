import { z } from 'zod';
import { canonicalJson, isPlainObject, ownMember, type JsonObject } from '../definition/json.js';
import { typeSchema } from './json-schema.js';

/** Keywords that only tell people something. */
const ANNOTATIONS = new Set([
  '$schema',
  'title',
  'description',
  'default',
  'example',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
]);

/**
 * Whether it is certain that every value of the first type is one of the second, as far as JSON Schema can tell. False
 * where that is not obvious, though it may be so.
 */
export function implies(from: z.ZodType, to: z.ZodType): boolean {
  return from === to || schemaImplies(typeSchema(from, 'output'), typeSchema(to, 'output'));
}

/** A schema holds when all of its keywords do, so each that is wanted has to follow from what is given. */
function schemaImplies(from: JsonObject, to: JsonObject): boolean {
  return Object.keys(to).every(
    (keyword) =>
      ANNOTATIONS.has(keyword) ||
      keywordImplied(from, to, keyword) ||
      conjuncts(from).some((part) => keywordImplied(part, to, keyword)),
  );
}

function conjuncts({ allOf }: JsonObject): readonly JsonObject[] {
  return Array.isArray(allOf) ? (allOf as readonly unknown[]).filter(isSchema) : [];
}

function keywordImplied(from: JsonObject, to: JsonObject, keyword: string): boolean {
  const given = from[keyword];
  const wanted = to[keyword];
  if (given === undefined && keyword !== 'properties' && keyword !== 'additionalProperties')
    return false;
  switch (keyword) {
    case 'type':
      return typesOf(given).every(
        (type) =>
          typesOf(wanted).includes(type) ||
          (type === 'integer' && typesOf(wanted).includes('number')),
      );
    case 'minimum':
      return typeof given === 'number' && typeof wanted === 'number' && given >= wanted;
    case 'maximum':
      return typeof given === 'number' && typeof wanted === 'number' && given <= wanted;
    case 'items':
      return (
        from['prefixItems'] === undefined &&
        isSchema(wanted) &&
        isSchema(given) &&
        schemaImplies(given, wanted)
      );
    case 'properties':
      return isSchema(wanted) && membersImplied(from, wanted);
    case 'required':
      return (
        Array.isArray(given) &&
        Array.isArray(wanted) &&
        wanted.every((name) => given.includes(name))
      );
    case 'additionalProperties':
      return additionsImplied(from, to);
    default:
      // References, alternatives and limits: the same, or not certain.
      return canonicalJson(given) === canonicalJson(wanted);
  }
}

/** A schema names one type, or several. */
function typesOf(type: unknown): readonly unknown[] {
  return Array.isArray(type) ? type : [type];
}

function membersImplied(from: JsonObject, wanted: JsonObject): boolean {
  const given = isSchema(from['properties']) ? from['properties'] : {};
  return Object.entries(wanted).every(([name, type]) => {
    const source = ownMember(given, name);
    return isSchema(source) && isSchema(type) && schemaImplies(source, type);
  });
}

/** What other members may be depends on which ones are named. */
function additionsImplied(from: JsonObject, to: JsonObject): boolean {
  const given = from['additionalProperties'];
  const wanted = to['additionalProperties'];
  if (isSchema(wanted) && Object.keys(wanted).length === 0) return true;
  const named = (schema: JsonObject): readonly string[] =>
    isSchema(schema['properties']) ? Object.keys(schema['properties']).sort() : [];
  return (
    given !== undefined &&
    canonicalJson(given) === canonicalJson(wanted) &&
    canonicalJson(named(from)) === canonicalJson(named(to))
  );
}

// A plain object in a schema, which is JSON, is a JSON object.
function isSchema(value: unknown): value is JsonObject {
  return isPlainObject(value);
}

/** Whether a type, or something in it, has rules that JSON Schema cannot say: a transform, a check of one's own. */
export function hasOwnRules(type: z.ZodType): boolean {
  let found = false;
  z.toJSONSchema(type, {
    io: 'output',
    unrepresentable: 'any',
    override: ({ zodSchema }) => {
      const { def } = zodSchema._zod;
      found ||= def.type === 'transform' || def.type === 'custom';
      found ||= def.checks?.some(({ _zod }) => _zod.def.check === 'custom') ?? false;
    },
  });
  return found;
}
