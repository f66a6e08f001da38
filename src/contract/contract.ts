import type { z } from 'zod';

/** Property names and their types: the shape of a `z.object`. */
export type PropertyTypes = Readonly<Record<string, z.ZodType>>;

/** What an operation reads, sets and deletes of a namespace. */
export interface Contract {
  readonly reads: PropertyTypes;
  readonly sets: PropertyTypes;
  readonly deletes: readonly string[];
  /** The operation gets every property of the namespace, not only those that it reads. */
  readonly readsAll: boolean;
}

/** True when a property of this type may be absent: the schema takes `undefined`. */
export function isOptional(type: z.ZodType): boolean {
  return type.safeParse(undefined).success;
}
