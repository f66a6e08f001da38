import { z } from 'zod';
import { anyValue, isOptional, type PropertyTypes } from '../../contract/contract.js';
import { isPlainObject, ownMember, type Json, type JsonObject } from '../../definition/json.js';

/**
 * The type in which an operation reads a property as it comes: what is known of it, or any value. Only one that is known
 * to be optional may be absent.
 */
export function comingType(incoming: PropertyTypes, name: string): z.ZodType {
  return ownMember(incoming, name) ?? anyValue;
}

/**
 * The type in which an operation reads a property that single namespaces may lack. Where other properties are known to
 * reach the operation and this one is not, it is needed all the same: a wrong name is then found at load.
 */
export function sparseType(incoming: PropertyTypes, name: string): z.ZodType {
  const known = ownMember(incoming, name);
  if (known !== undefined) return isOptional(known) ? known : known.optional();
  return Object.keys(incoming).length > 0 ? anyValue : anyValue.optional();
}

/** A type without `optional`, `nullable` and other wrappers: what a value has that is there and not null. */
export function presentType(type: z.ZodType): z.ZodType {
  let inner = type;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodNonOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodReadonly
  ) {
    // zod types what its wrappers hold by its core's interface; every schema of its public API is a ZodType.
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}

/** The type of a list's items, as far as it is known. */
export function itemType(list: z.ZodType | undefined): z.ZodType {
  const inner = list === undefined ? undefined : presentType(list);
  return inner instanceof z.ZodArray ? (inner.element as z.ZodType) : anyValue;
}

/** The type of a value that is written in a definition. */
export function valueType(value: Json): z.ZodType {
  if (value === null) return z.null();
  if (typeof value === 'string') return z.string();
  if (typeof value === 'number') return z.number();
  if (typeof value === 'boolean') return z.boolean();
  return Array.isArray(value) ? z.array(anyValue) : z.looseObject({});
}

/**
 * What a JSON Schema says about a value's basic type; constraints are left out. Only for the flow of types through a
 * pipeline: values are validated by the schema itself.
 */
export function basicType(schema: Json | undefined): z.ZodType {
  if (!isPlainObject(schema)) return anyValue;
  // A plain object in a JSON value is a JSON object.
  const { type, items, properties, required } = schema as JsonObject;
  switch (type) {
    case 'string':
      return z.string();
    case 'number':
    case 'integer':
      return z.number();
    case 'boolean':
      return z.boolean();
    case 'null':
      return z.null();
    case 'array':
      return z.array(basicType(items));
    case 'object':
      return z.looseObject(memberTypes(properties, required));
    default:
      return anyValue;
  }
}

function memberTypes(
  properties: Json | undefined,
  required: Json | undefined,
): Record<string, z.ZodType> {
  if (!isPlainObject(properties)) return {};
  const needed = Array.isArray(required) ? required : [];
  const members = Object.entries(properties as JsonObject).map(([name, member]) => {
    const type = basicType(member);
    return [name, needed.includes(name) ? type : type.optional()] as const;
  });
  return Object.fromEntries(members);
}
