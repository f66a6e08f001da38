import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject } from '../definition/json.js';
import { formatPath, parsePointer } from './violation.js';

/** A JSON Schema cannot be used: an unknown keyword, a wrong value, a reference that leads nowhere. */
export class InvalidSchema extends Error {
  override readonly name = 'InvalidSchema';
}

/** Keywords of other tools, which say nothing about validity. */
const ANNOTATIONS = ['example', 'propertyOrdering'];

/** Keywords that say nothing about validity are known, and what a validator of this kind cannot do is refused. */
export function prepared<A extends Ajv2020>(ajv: A, schema: JsonObject): A {
  // It would answer with promises, which nobody waits for.
  if (schema['$async'] === true) throw new InvalidSchema('"$async" is no keyword of JSON Schema');
  ANNOTATIONS.forEach((keyword) => ajv.addKeyword(keyword));
  return ajv;
}

/**
 * A function that tells why a value does not satisfy a JSON Schema (draft 2020-12): a phrase with the path, such as
 * `tags[0] must be string`, or undefined when it does. `format` is an annotation, as the specification has it.
 *
 * @throws {@link InvalidSchema}
 */
export function schemaCheck(schema: JsonObject): SchemaCheck {
  const known = COMPILED.get(schema);
  if (known !== undefined) return known;
  const text = JSON.stringify(schema);
  const check = BY_TEXT.get(text) ?? compiledCheck(schema);
  COMPILED.set(schema, check);
  if (BY_TEXT.size >= MAX_BY_TEXT && !BY_TEXT.has(text)) BY_TEXT.clear();
  BY_TEXT.set(text, check);
  return check;
}

type SchemaCheck = (value: unknown) => string | undefined;

/** A model is asked for the same form again and again, and compiling a schema takes tens of milliseconds. */
const COMPILED = new WeakMap<JsonObject, SchemaCheck>();

/** The same for forms that are made anew each time. */
const BY_TEXT = new Map<string, SchemaCheck>();
const MAX_BY_TEXT = 100;

function compiledCheck(schema: JsonObject): SchemaCheck {
  const { $schema: _, ...described } = schema;
  // A validator keeps every schema that it has compiled, so each schema gets its own.
  const ajv = new Ajv2020({
    strictTypes: false,
    strictTuples: false,
    validateFormats: false,
    logger: false,
  });
  const validate = compiled(prepared(ajv, described), described);
  return (value) => {
    if (validate(value)) return undefined;
    const [error] = validate.errors ?? [];
    const path = formatPath(parsePointer(error?.instancePath ?? ''));
    const extra: unknown = error?.params['additionalProperty'];
    const what = `${error?.message ?? 'is not valid'}${typeof extra === 'string' ? ` ("${extra}")` : ''}`;
    return path === '' ? `it ${what}` : `${path} ${what}`;
  };
}

function compiled(ajv: Ajv2020, schema: JsonObject): ReturnType<Ajv2020['compile']> {
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw new InvalidSchema(error instanceof Error ? error.message : String(error));
  }
}
