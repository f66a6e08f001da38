import { z } from 'zod';
import { mayBeLeftOut } from '../contract/json-schema.js';
import { typeSchema } from '../contract/json-schema.js';
import { canonicalJson } from '../definition/json.js';

/** Where a property comes from, and what is known of it, at some place in a pipeline. */
export interface Origin {
  readonly type: z.ZodType;
  /** Undefined for the run's input. */
  readonly setter?: Setter;
  /** Failures of its setter may be ignored: it may be absent then, or still be what it was before. */
  readonly uncertain: boolean;
  /** The list of the input whose items it is, as long as none of the namespaces has been dropped. */
  readonly itemOf?: string;
}

/** What has set a property: an operation in its stage. */
export interface Setter {
  readonly stage: string;
  readonly operation: string;
}

/**
 * The type of an input property as it flows: a pipeline gets what was given, and operations fill in defaults and
 * transform for themselves.
 */
export function givenType(type: z.ZodType): z.ZodType {
  // zod types what its wrappers hold by its core's interface; every schema of its public API is a ZodType.
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault)
    return givenType(type.unwrap() as z.ZodType).optional();
  if (type instanceof z.ZodPipe)
    return type.in instanceof z.ZodTransform ? z.unknown() : givenType(type.in as z.ZodType);
  if (!(type instanceof z.ZodOptional)) return type;
  const inner = type.unwrap() as z.ZodType;
  const given = givenType(inner);
  return given === inner ? type : given.optional();
}

/** The type of an input property that two operations read, each with its own transform and default. */
export function bothTypes(a: z.ZodType, b: z.ZodType): z.ZodType {
  const [one, other] = [givenType(a), givenType(b)];
  // An intersection of optional types is not optional to zod.
  return one instanceof z.ZodOptional && other instanceof z.ZodOptional
    ? z.intersection(one.unwrap(), other.unwrap()).optional()
    : z.intersection(one, other);
}

/** The type of a list of the input whose items are read as a type, given what is known of the list already. */
export function listOf(list: z.ZodType, item: z.ZodType): z.ZodType {
  const given = givenType(list);
  if (given instanceof z.ZodOptional) return listOf(given.unwrap() as z.ZodType, item).optional();
  if (!(given instanceof z.ZodArray)) return list;
  const known = given.element as z.ZodType;
  const read = givenType(item);
  if (sameSchema(known, read, 'input')) return list;
  const isOpen = Object.keys(typeSchema(known, 'input')).length === 0;
  // Limits of the list itself, such as its length, are kept where nothing is known of its items.
  return isOpen ? given.clone({ ...given.def, element: read }) : z.array(bothTypes(known, read));
}

/** Whether two types have the same JSON Schema, constraints included. Whether they are optional is not part of it. */
export function sameSchema(a: z.ZodType, b: z.ZodType, side: 'input' | 'output'): boolean {
  return canonicalJson(typeSchema(a, side)) === canonicalJson(typeSchema(b, side));
}

/** The type of a property that was there as one type, and has then been set as another, or was left as it is. */
export function typeAfter(before: z.ZodType | undefined, set: z.ZodType): z.ZodType {
  if (before === undefined || !mayBeLeftOut(set)) return set;
  const present = z.nonoptional(set);
  if (!sameSchema(before, set, 'output')) return z.union([before, present]);
  return mayBeLeftOut(before) ? set : present;
}

/** What is to be done about a property that may be missing where it is read. */
export function lackMessage({ setter }: Origin, reader: string): string {
  if (setter === undefined) {
    return `, which the declared input may lack. Make it required there, or optional in what "${reader}" reads, which is also the place of a default.`;
  }
  const { stage, operation } = setter;
  return `, which stage "${stage}": "${operation}" may leave out. Make it required in what "${operation}" sets, or optional in what "${reader}" reads.`;
}
