import { z } from 'zod';
import type { JsonObject } from '../definition/json.js';
import type { PropertyTypes } from './contract.js';

/** Which side of a schema with defaults or transforms is described: what may be given, or what comes out. */
export type Side = 'input' | 'output';

/**
 * The JSON Schema (draft 2020-12) of a zod type. What JSON Schema cannot say (a transform, a custom check) is
 * described as any value.
 */
export function typeSchema(type: z.ZodType, side: Side): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: side, unrepresentable: 'any' });
  // zod types its result for every draft; it is plain JSON.
  return schema as unknown as JsonObject;
}

/** The JSON Schema of an object with these properties. */
export function objectSchema(properties: PropertyTypes, side: Side): JsonObject {
  return typeSchema(z.object(properties), side);
}

/** True when an operation that sets a property of this type may leave it out. One with a default always sets it. */
export function mayBeLeftOut(type: z.ZodType): boolean {
  const { required } = objectSchema({ it: type }, 'output');
  return !(Array.isArray(required) && required.includes('it'));
}
