import { z } from 'zod';
import { violationsOf } from '../contract/violation.js';
import { unknownName } from '../definition/unknown-name.js';
import type { Path } from '../pipeline/problem-list.js';

/** Something of a file that its schema does not take. */
export interface SchemaProblem {
  readonly path: Path;
  /** The last part of the path is a name that does not exist, rather than one with a wrong value. */
  readonly unknownName: boolean;
  readonly message: string;
}

/**
 * What a schema refused, each with its place, and each unknown name with the one that was probably meant.
 *
 * @param noun - what the names of this file are called: `option`, `key`
 */
export function schemaProblems(
  schema: z.ZodType,
  error: z.ZodError,
  value: unknown,
  noun: string,
): readonly SchemaProblem[] {
  return error.issues.flatMap((issue): readonly SchemaProblem[] => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    if (issue.code === 'unrecognized_keys') {
      const known = namesAt(schema, path);
      return issue.keys.map((name) => ({
        path: [...path, name],
        unknownName: true,
        message: unknownName(name, known, noun),
      }));
    }
    return violationsOf(new z.ZodError([issue]), value).map(({ message }) => ({
      path,
      unknownName: false,
      message: sentence(message.replace(/^Property/, noun)),
    }));
  });
}

/** The names that the schema takes at a place; none where it is no object with fixed names. */
export function namesAt(schema: z.ZodType, path: Path): readonly string[] {
  const at = path.reduce<z.ZodType | undefined>((parent, part) => child(parent, part), schema);
  const object = unwrapped(at);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function child(schema: z.ZodType | undefined, part: string | number): z.ZodType | undefined {
  const parent = unwrapped(schema);
  // The library's own types for members are those of its core, of which every schema here is one.
  if (parent instanceof z.ZodObject) return parent.shape[part] as z.ZodType | undefined;
  if (parent instanceof z.ZodArray) return parent.element as z.ZodType;
  if (parent instanceof z.ZodRecord) return parent.valueType as z.ZodType;
  return undefined;
}

function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodNullable
  )
    return unwrapped(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrapped(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe) {
    // What is written is described by the side that is not the transformation.
    return unwrapped((schema.in instanceof z.ZodTransform ? schema.out : schema.in) as z.ZodType);
  }
  if (schema instanceof z.ZodUnion) {
    return schema.options
      .map((option) => unwrapped(option as z.ZodType))
      .find((option) => option instanceof z.ZodObject);
  }
  return schema;
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
