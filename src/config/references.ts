import { isPlainObject } from '../definition/json.js';
import type { Path } from '../pipeline/problem-list.js';

/** Finds a secret by its name, such as `openai/key` for `secret://openai/key`. Undefined: there is none. */
export type SecretLookup = (name: string) => string | undefined | Promise<string | undefined>;

/** Something that a configured text stands for, and that is put in only where it is needed: in a worker. */
export interface Reference {
  /** `env`: `${NAME}`, an environment variable. `secret`: `secret://name`, whatever the config's `secrets` answers. */
  readonly kind: 'env' | 'secret';
  readonly name: string;
  /** The way to the text that holds it. */
  readonly path: Path;
}

/** `${NAME}` or `secret://name`, anywhere in a text. A secret's name ends with a letter, a digit or `_`. */
const REFERENCE =
  /\$\{([A-Za-z_][A-Za-z0-9_]*)\}|secret:\/\/([A-Za-z0-9_](?:[A-Za-z0-9_./-]*[A-Za-z0-9_])?)/g;

/** Every reference in a value, however deep, in the order of the value. A name used twice is listed twice. */
export function references(value: unknown): readonly Reference[] {
  return find(value, []);
}

/** True when the text is one reference and nothing else, so that it holds no secret itself. */
export function isReference(text: string): boolean {
  return [...text.matchAll(REFERENCE)].some((match) => match[0] === text);
}

/** The value with every reference replaced by what `lookup` knows. Everything else stays as it is. */
export function withReferences(
  value: unknown,
  lookup: (reference: Pick<Reference, 'kind' | 'name'>) => string,
): unknown {
  if (typeof value === 'string') {
    return value.replace(REFERENCE, (_text, env: string | undefined, secret: string | undefined) =>
      lookup(referenceOf(env, secret)),
    );
  }
  if (Array.isArray(value)) return value.map((item) => withReferences(item, lookup));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withReferences(member, lookup)]),
  );
}

function find(value: unknown, path: Path): readonly Reference[] {
  if (typeof value === 'string') {
    return [...value.matchAll(REFERENCE)].map(([, env, secret]) => ({
      ...referenceOf(env, secret),
      path,
    }));
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => find(item, [...path, index]));
  if (!isPlainObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => find(member, [...path, key]));
}

function referenceOf(
  env: string | undefined,
  secret: string | undefined,
): Pick<Reference, 'kind' | 'name'> {
  return env === undefined ? { kind: 'secret', name: secret ?? '' } : { kind: 'env', name: env };
}
