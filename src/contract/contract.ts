import { z } from 'zod';

/** Property names and their types: the shape of a `z.object`. */
export type PropertyTypes = Readonly<Record<string, z.ZodType>>;

/** The type of a property of which only this is known: it is there. */
export const anyValue: z.ZodType = z
  .unknown()
  .refine((value) => value !== undefined, 'expected a value');

/** What an operation reads, sets and deletes of a namespace. */
export interface Contract {
  readonly reads: PropertyTypes;
  readonly sets: PropertyTypes;
  readonly deletes: readonly string[];
  /** The operation gets every property of the namespace, not only those that it reads. */
  readonly readsAll: boolean;
  /**
   * Besides `sets`, the operation may set any property that one of its namespaces has, to a value of its type: `collapse`
   * carries on what it does not list.
   */
  readonly carriesAll: boolean;
  /** Properties that get the items of a list, one each, and the list: what later stages read of them, its items must be. */
  readonly items?: Readonly<Record<string, string>>;
}

/** An operation that touches nothing. */
export const EMPTY_CONTRACT: Contract = {
  reads: {},
  sets: {},
  deletes: [],
  readsAll: false,
  carriesAll: false,
};

/**
 * The one name that no property can have: to JavaScript it stands for an object's prototype, and libraries drop it
 * without a word. Names such as `constructor` are properties like any other.
 */
export const FORBIDDEN_NAME = '__proto__';

/** True when a property of this type may be absent: the schema takes `undefined`. */
export function isOptional(type: z.ZodType): boolean {
  return type.safeParse(undefined).success;
}
