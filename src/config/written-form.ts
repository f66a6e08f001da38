import { z } from 'zod';
import { isPlainObject } from '../definition/json.js';
import { nearMiss } from '../definition/suggestion.js';
import type { Path } from '../pipeline/problem-list.js';
import { namesAt, schemaProblems, type SchemaProblem } from './schema-problems.js';

/** What only the compiler can judge: durations, names of strategies. It says so with the place and what is possible. */
export const judgedLater = z.unknown().optional();

/** What a file says, as far as its schema takes it. */
export interface WrittenForm<T> {
  /**
   * What can be looked into, to say what else is wrong. Unknown names are read as if each had been written as the name it is
   * nearest to; values of a wrong kind are left out.
   */
  readonly value: T;
  /** Places that were left out, with the names that code uses. */
  readonly told: readonly Path[];
  readonly problems: readonly SchemaProblem[];
}

/** Reads a definition as YAML writes it (`ignore_errors`). Every problem is told, with its place. */
export function parseWritten<S extends z.ZodType>(
  schema: S,
  value: Readonly<Record<string, unknown>>,
): WrittenForm<z.output<S>> {
  const problems: SchemaProblem[] = [];
  /** Places that were left out, by their paths. */
  const told = new Map<string, Path>();
  let written = withoutNulls(value, []);
  for (;;) {
    const parsed = schema.safeParse(written);
    if (parsed.success)
      return { value: parsed.data, told: [...told.values()].map(codePath), problems };
    // What is below a mended name is only looked into after that. Each round leaves fewer wrong places.
    for (const problem of schemaProblems(schema, parsed.error, written, 'key')) {
      const { path, unknownName } = problem;
      if (unknownName) {
        problems.push(problem);
        written = mend(schema, written, problem, told);
        continue;
      }
      if (!told.has(JSON.stringify(path))) problems.push(problem);
      const place = placeToLeaveOut(path, told);
      told.set(JSON.stringify(place), place);
      written = leftOut(written, place);
    }
  }
}

/** What takes the place of an item of a list may be as wrong as the item was: then the list is left out. */
function placeToLeaveOut(path: Path, told: ReadonlyMap<string, Path>): Path {
  return path.length > 0 && told.has(JSON.stringify(path))
    ? placeToLeaveOut(path.slice(0, -1), told)
    : path;
}

/** The name in a definition as YAML writes it. */
export function writtenName(name: string): string {
  // Capitals that follow each other are one word: `enableSDKTracing` is `enable_sdk_tracing`.
  return name.replace(/[A-Z]+(?=[A-Z][a-z]|$)|[A-Z]/g, (capitals) => `_${capitals.toLowerCase()}`);
}

/** The name that code uses for one that YAML writes. */
export function codeName(name: string): string {
  return name.replace(/_([a-z])/g, (_text, letter: string) => letter.toUpperCase());
}

function codePath(path: Path): Path {
  return path.map((part) => (typeof part === 'string' ? codeName(part) : part));
}

/** Names of what a definition only carries. */
const NOT_OURS: readonly string[] = [
  'options',
  'configuration',
  'reads',
  'writes',
  'initialization',
  'metadata',
  'schema',
  'input_schema',
  'result_schema',
];

/** What an approval that nobody answers results in may be null. */
function isApprovalResult(path: Path): boolean {
  return path.at(-2) === 'approval' && path.at(-1) === 'result';
}

/** `timeout:` with nothing behind it sets nothing. Options and schemas are not ours, and null may mean something in them. */
function withoutNulls(value: unknown, path: Path): unknown {
  if (NOT_OURS.includes(String(path.at(-1))) || isApprovalResult(path)) return value;
  if (Array.isArray(value)) return value.map((item, index) => withoutNulls(item, [...path, index]));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => member !== null || isApprovalResult([...path, name]))
      .map(([name, member]) => [name, withoutNulls(member, [...path, name])]),
  );
}

/** A value without what is at a path; in a list, where places count, something empty takes its place. */
function leftOut(value: unknown, [first, ...rest]: Path): unknown {
  if (first === undefined) return {};
  if (Array.isArray(value))
    return value.map((item, index): unknown => (index === first ? leftOut(item, rest) : item));
  if (!isPlainObject(value) || typeof first !== 'string') return {};
  const { [first]: member, ...others } = value;
  return rest.length === 0 ? others : { ...others, [first]: leftOut(member, rest) };
}

/** What was left out stays so: what is written under a name like it is not taken for it. */
function mend(
  schema: z.ZodType,
  value: unknown,
  { path }: SchemaProblem,
  told: ReadonlyMap<string, Path>,
): unknown {
  const parent = path.slice(0, -1);
  const isOpen = (name: string): boolean => !told.has(JSON.stringify([...parent, name]));
  return mendAt(value, path, namesAt(schema, parent).filter(isOpen));
}

function mendAt(value: unknown, [first, ...rest]: Path, known: readonly string[]): unknown {
  if (Array.isArray(value))
    return value.map((item, index): unknown =>
      index === first ? mendAt(item, rest, known) : item,
    );
  if (!isPlainObject(value) || typeof first !== 'string') return value;
  if (rest.length > 0) return { ...value, [first]: mendAt(value[first], rest, known) };
  const { [first]: wrong, ...others } = value;
  const meant = nearMiss(first, known);
  return meant === undefined || meant in others ? others : { ...others, [meant]: wrong };
}
