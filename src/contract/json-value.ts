import { isPlainObject } from '../definition/json.js';
import { FORBIDDEN_NAME } from './contract.js';
import { formatPath, type PropertyViolation } from './violation.js';

/** Deepest nesting of arrays and objects in a property. */
const MAX_DEPTH = 200;

/**
 * The first place in a value that JSON would drop or change: a Date, a Map, a bigint, NaN, a cycle. Undefined members
 * of objects are left out by JSON, as everywhere, and are no violation.
 */
export function jsonViolation(
  path: readonly PropertyKey[],
  value: unknown,
): PropertyViolation | undefined {
  if (path.length > MAX_DEPTH)
    return notJson(path, `nesting deeper than ${String(MAX_DEPTH)} levels`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : notJson(path, String(value));
  if (Array.isArray(value))
    return firstOf(
      value.map((item, index) => [index, item] as const),
      path,
    );
  if (isPlainObject(value)) {
    if (Object.hasOwn(value, FORBIDDEN_NAME)) return forbidden([...path, FORBIDDEN_NAME], value);
    return firstOf(
      Object.entries(value).filter(([, member]) => member !== undefined),
      path,
    );
  }
  return notJson(path, typeof value === 'object' ? value.constructor.name : typeof value);
}

/**
 * Where a value has members of the one name that none can have, at any depth. What is nested too deep is left to
 * {@link jsonViolation}.
 */
export function forbiddenNames(
  value: unknown,
  path: readonly PropertyKey[] = [],
): readonly PropertyViolation[] {
  if (typeof value !== 'object' || value === null || path.length > MAX_DEPTH) return [];
  const within = (Array.isArray(value) ? [...value.entries()] : Object.entries(value)).flatMap(
    ([key, member]: readonly [PropertyKey, unknown]) =>
      typeof member === 'object' ? forbiddenNames(member, [...path, key]) : [],
  );
  return Object.hasOwn(value, FORBIDDEN_NAME)
    ? [forbidden([...path, FORBIDDEN_NAME], value), ...within]
    : within;
}

function forbidden(path: readonly PropertyKey[], holder: object): PropertyViolation {
  const name = formatPath(path);
  const value: unknown = Object.getOwnPropertyDescriptor(holder, FORBIDDEN_NAME)?.value;
  return {
    path: name,
    got: value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value,
    message: `Property '${name}' is not allowed: no property can be called ${FORBIDDEN_NAME}`,
  };
}

function firstOf(
  members: readonly (readonly [PropertyKey, unknown])[],
  path: readonly PropertyKey[],
): PropertyViolation | undefined {
  for (const [key, member] of members) {
    const found = jsonViolation([...path, key], member);
    if (found !== undefined) return found;
  }
  return undefined;
}

function notJson(path: readonly PropertyKey[], got: string): PropertyViolation {
  const name = formatPath(path);
  return {
    path: name,
    expected: 'a JSON value',
    got,
    message: `Property '${name}' expected a JSON value, got ${got}`,
  };
}
