import { isPlainObject } from '../definition/json.js';
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
  if (isPlainObject(value))
    return firstOf(
      Object.entries(value).filter(([, member]) => member !== undefined),
      path,
    );
  return notJson(path, typeof value === 'object' ? value.constructor.name : typeof value);
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
