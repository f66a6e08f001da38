import type { z } from 'zod';

/** One property that is not as its contract says. */
export interface PropertyViolation {
  /** The property and the way into it: `records[2].tags[0]`. */
  readonly path: string;
  /** What was expected, in words: `string`, `one of "a", "b"`. Absent where the rule is not about a type. */
  readonly expected?: string;
  /** What was there, in words. */
  readonly got: string;
  /** The whole sentence: `Property 'text' expected string, got undefined`. */
  readonly message: string;
}

/** Most violations that one error lists; the message says how many more there were. */
const MAX_LISTED = 20;

/**
 * A property does not satisfy a contract. Never retried: the same value would fail again.
 * HTTP answers it with 422 `contract_violation` (seed 000).
 */
export class ContractViolation extends Error {
  override readonly name = 'ContractViolation';
  constructor(readonly violations: readonly PropertyViolation[]) {
    const listed = violations.slice(0, MAX_LISTED).map((violation) => violation.message);
    const more = violations.length - listed.length;
    super(listed.join('; ') + (more > 0 ? `; and ${String(more)} more` : ''));
  }
}

/** The violations that zod's issues amount to, with what was found at each path. */
export function violationsOf(error: z.ZodError, value: unknown): readonly PropertyViolation[] {
  return error.issues.flatMap((issue) => issueViolations(issue, value, []));
}

/** A violation in the form that every message has. */
function violation(path: readonly PropertyKey[], expected: string, got: string): PropertyViolation {
  const name = formatPath(path);
  return {
    path: name,
    expected,
    got,
    message: `Property '${name}' expected ${expected}, got ${got}`,
  };
}

/** `['records', 2, 'tags', 0]` as `records[2].tags[0]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${String(part)}]`;
    const name = String(part);
    if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** The parts of a path as {@link formatPath} writes it. */
export function parsePath(path: string): readonly (string | number)[] {
  return Array.from(
    path.matchAll(/\[("(?:[^"\\]|\\.)*"|\d+)\]|([^.[\]]+)/g),
    ([, bracketed, name]) =>
      // formatPath has written what is in brackets as JSON: a text or a number.
      bracketed === undefined ? (name ?? '') : (JSON.parse(bracketed) as string | number),
  );
}

/** The parts of a JSON Pointer (RFC 6901): `/tags/0`. */
export function parsePointer(pointer: string): readonly (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      return /^\d+$/.test(name) ? Number(name) : name;
    });
}

type Issue = z.core.$ZodIssue;

function issueViolations(
  issue: Issue,
  root: unknown,
  base: readonly PropertyKey[],
): readonly PropertyViolation[] {
  const path = [...base, ...issue.path];
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'invalid_type':
      return [violation(path, issue.expected, given(value, [issue]))];
    case 'invalid_value':
      return [violation(path, alternatives(issue.values), describeValue(value))];
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: formatPath([...path, key]),
        got: describeValue(valueAt(root, [...path, key])),
        message: `Property '${formatPath([...path, key])}' is not part of the contract`,
      }));
    case 'invalid_union':
      return unionViolations(issue, root, path);
    default:
      return [ruleViolation(path, issue.message, value)];
  }
}

function unionViolations(
  issue: z.core.$ZodIssueInvalidUnion,
  root: unknown,
  path: readonly PropertyKey[],
): readonly PropertyViolation[] {
  const here = issue.errors
    .flat()
    .filter((nested) => nested.path.length === 0)
    .filter((nested) => nested.code === 'invalid_type');
  if (here.length === issue.errors.length && here.length > 0) {
    const expected = here.map((nested) => nested.expected).join(' or ');
    return [violation(path, expected, given(valueAt(root, path), here))];
  }
  // The branch that went deepest before it failed is the one that was meant.
  const meant = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0];
  if (meant === undefined || meant.length === 0)
    return [ruleViolation(path, issue.message, valueAt(root, path))];
  return meant.flatMap((nested) => issueViolations(nested, root, path));
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function ruleViolation(
  path: readonly PropertyKey[],
  rule: string,
  value: unknown,
): PropertyViolation {
  // zod writes "Too small: expected number to be >=0": the rule is what follows.
  const expected = /expected (.+)$/.exec(rule)?.[1];
  if (expected !== undefined) {
    return violation(
      path,
      expected.replace(/^(\w+) to be /, '$1 ').replace(' to have ', ' with '),
      describeValue(value),
    );
  }
  const name = formatPath(path);
  return {
    path: name,
    got: describeValue(value),
    message: `Property '${name}' is not valid: ${rule}`,
  };
}

function alternatives(values: readonly unknown[]): string {
  const listed = values.map((value) =>
    typeof value === 'string' ? JSON.stringify(value) : String(value),
  );
  return listed.length === 1 ? (listed[0] ?? '') : `one of ${listed.join(', ')}`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    root,
  );
}

/** Longest text of a value that a message repeats, in characters. */
const MAX_SHOWN = 40;

/** What a value is, in words: itself where it is short. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string' && value.length <= MAX_SHOWN) return JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeName(value);
}

/** What is of the wrong type: the type, or the value where its type is not what is wrong. */
function given(value: unknown, issues: readonly z.core.$ZodIssueInvalidType[]): string {
  if (!issues.some(isAboutValue)) return typeName(value);
  return typeof value === 'string' && value.length > MAX_SHOWN
    ? `a text of ${String(value.length)} characters`
    : describeValue(value);
}

/** Of `z.coerce.number()` zod tells that `'abc'` became NaN. Whole numbers are no type of their own, and a bigint is read from texts. */
function isAboutValue(issue: z.core.$ZodIssueInvalidType): boolean {
  return 'received' in issue || ['int', 'bigint'].includes(issue.expected);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Number.isNaN(value)) return 'NaN';
  return Array.isArray(value) ? 'array' : typeof value;
}
