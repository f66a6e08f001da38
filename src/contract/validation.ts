import { z } from 'zod';
import { forbiddenNames, jsonViolation } from './json-value.js';
import type { Json, JsonObject } from '../definition/json.js';
import type { Contract, PropertyTypes } from './contract.js';
import {
  ContractViolation,
  formatPath,
  violationsOf,
  type PropertyViolation,
} from './violation.js';

/**
 * The properties that an operation may read, checked and with their defaults filled in.
 *
 * @throws {@link ContractViolation} naming each property that is missing or of the wrong type.
 */
export function validateReads(contract: Contract, properties: JsonObject): JsonObject {
  const parsed = parse(contract.reads, properties);
  return contract.readsAll ? { ...properties, ...parsed } : parsed;
}

/**
 * What an operation returned, checked against what it declared that it sets.
 *
 * @throws {@link ContractViolation} for a wrong type, an undeclared property, an undeclared delete (a property
 *   returned as `undefined`), or a value that JSON cannot carry.
 * @param carried - properties that the operation may set without declaring them: see `Contract.carriesAll`
 */
export function validateSets(
  contract: Contract,
  returned: Readonly<Record<string, unknown>>,
  carried: ReadonlySet<string> = NOTHING,
): JsonObject {
  const undeclared = Object.keys(returned)
    .filter((name) => !Object.hasOwn(contract.sets, name) && !carried.has(name))
    .filter((name) => !(returned[name] === undefined && contract.deletes.includes(name)))
    .map((name) => undeclaredViolation(name, returned[name]));
  if (undeclared.length > 0) throw new ContractViolation(undeclared);
  const others = Object.entries(returned).filter(
    ([name, value]) => value !== undefined && carried.has(name),
  );
  // Values that are not JSON are refused below.
  const sets = { ...(Object.fromEntries(others) as JsonObject), ...parse(contract.sets, returned) };
  const foreign = Object.entries(sets)
    .map(([name, value]) => jsonViolation([name], value))
    .filter((found) => found !== undefined);
  if (foreign.length > 0) throw new ContractViolation(foreign);
  return sets;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * An input for a whole pipeline, checked against its input contract. Properties outside of the contract pass: a later
 * stage may copy them, and clients may send more than is read.
 *
 * @throws {@link ContractViolation}
 */
export function validateInput(types: PropertyTypes, input: JsonObject): JsonObject {
  const forbidden = forbiddenNames(input);
  if (forbidden.length > 0) throw new ContractViolation(forbidden);
  return { ...input, ...parse(types, input) };
}

interface ObjectType {
  readonly type: z.ZodObject;
  /** Some property is called like a member that every object inherits, such as `constructor`. */
  readonly shadows: boolean;
}

/** Schemas of objects: making one takes longer than most values take to be checked. */
const objects = new WeakMap<PropertyTypes, ObjectType>();

function objectOf(types: PropertyTypes): ObjectType {
  const known = objects.get(types) ?? {
    type: z.object(types),
    shadows: Object.keys(types).some((name) => name in Object.prototype),
  };
  objects.set(types, known);
  return known;
}

function parse(types: PropertyTypes, properties: Readonly<Record<string, unknown>>): JsonObject {
  const { type, shadows } = objectOf(types);
  // zod reads members without asking whose they are, so that what is inherited must not be there.
  const bare = shadows
    ? Object.assign(Object.create(null) as Record<string, unknown>, properties)
    : properties;
  const result = type.safeParse(bare);
  if (!result.success) throw new ContractViolation(violationsOf(result.error, properties));
  const present = Object.entries(result.data).filter(([, value]) => value !== undefined);
  // Values that are not JSON are refused where they would enter a run: see validateSets.
  return Object.fromEntries(present) as Record<string, Json>;
}

function undeclaredViolation(name: string, value: unknown): PropertyViolation {
  const path = formatPath([name]);
  return value === undefined
    ? {
        path,
        got: 'undefined',
        message: `Property '${path}' was deleted, but is not among the declared deletes`,
      }
    : {
        path,
        got: typeof value,
        message: `Property '${path}' was set, but is not among the declared sets`,
      };
}
