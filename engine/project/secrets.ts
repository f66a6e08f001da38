import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProjectConfig } from '../../src/config/project-config.js';
import {
  references,
  withReferences,
  type Reference,
  type SecretLookup,
} from '../../src/config/references.js';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where containers find secrets as files. */
const SECRET_FILES = '/run/secrets';

/** Longest time that a project's `secrets` function may take for one name. */
const MAX_LOOKUP_MS = 30_000;

/** Where references find what they stand for. */
export interface SecretSources {
  readonly env: Environment;
  /** The config's `secrets`, where it has one. */
  readonly secrets?: SecretLookup;
  /** The folder with secrets as files; `/run/secrets` unless set. */
  readonly folder?: string;
}

/** Where a project's references find what they stand for. */
export function secretSources(
  { config }: { readonly config: Pick<ProjectConfig, 'secrets'> },
  env: Environment,
): SecretSources {
  return { env, ...(config.secrets !== undefined && { secrets: config.secrets }) };
}

/** References that stand for nothing here. Carries all of them, as they are written. */
export class UnresolvedReferences extends Error {
  override readonly name = 'UnresolvedReferences';
  constructor(
    readonly references: readonly string[],
    hints: readonly string[],
  ) {
    super(hints.join(' '));
  }
}

/** True where a variable is missing or empty: an empty key is never meant. */
export function isUnset(env: Environment, name: string): boolean {
  return env[name] === undefined || env[name] === '';
}

/**
 * Puts in what the references of a value stand for. Done in workers and servers, for what they use themselves; never for
 * what becomes part of a plan.
 *
 * @throws {@link UnresolvedReferences} naming every reference that stands for nothing.
 */
export async function resolveReferences<T>(value: T, sources: SecretSources): Promise<T> {
  const wanted = new Map(
    references(value).map((reference) => [writtenForm(reference), reference] as const),
  );
  const found = await Promise.all(
    [...wanted].map(
      async ([written, reference]) => [written, await find(reference, sources)] as const,
    ),
  );
  const known = new Map(
    found.flatMap(([written, text]) => (text === undefined ? [] : [[written, text] as const])),
  );
  const missing = [...wanted].filter(([written]) => !known.has(written));
  if (missing.length > 0) {
    throw new UnresolvedReferences(
      missing.map(([written]) => written),
      missing.map(([, reference]) => hint(reference, sources)),
    );
  }
  // Replacing parts of texts keeps every other part of the value, and with it its type.
  return withReferences(value, (reference) => known.get(writtenForm(reference)) ?? '') as T;
}

/** The environment variable that a secret is looked for in: `OPENAI_KEY` for `openai/key`. */
export function variableOf(secret: string): string {
  return secret.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}

type Named = Pick<Reference, 'kind' | 'name'>;

function writtenForm({ kind, name }: Named): string {
  return kind === 'env' ? `\${${name}}` : `secret://${name}`;
}

async function find(
  { kind, name }: Named,
  { env, secrets, folder = SECRET_FILES }: SecretSources,
): Promise<string | undefined> {
  const variable = kind === 'env' ? name : variableOf(name);
  if (kind === 'env') return isUnset(env, variable) ? undefined : env[variable];
  if (secrets !== undefined) return inTime(name, secrets);
  return isUnset(env, variable) ? fileText(folder, name) : env[variable];
}

async function inTime(name: string, secrets: SecretLookup): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `The config's secrets function did not answer for "${name}" within ${String(MAX_LOOKUP_MS / 1000)} s.`;
    timer = setTimeout(
      () => reject(new UnresolvedReferences([writtenForm({ kind: 'secret', name })], [message])),
      MAX_LOOKUP_MS,
    );
  });
  try {
    return await Promise.race([secrets(name), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function fileText(folder: string, name: string): Promise<string | undefined> {
  // A name is a path below the folder and stays there.
  if (name.split('/').some((part) => part === '..' || part === '.')) return undefined;
  try {
    const text = await readFile(join(folder, name), 'utf8');
    return text.replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}

function hint(reference: Named, { secrets, folder = SECRET_FILES }: SecretSources): string {
  const { kind, name } = reference;
  if (kind === 'env') return `The environment variable ${name} is not set.`;
  if (secrets !== undefined) return `The config's secrets function knows no "${name}".`;
  return `There is no secret "${name}": set the environment variable ${variableOf(name)} or write the file ${join(folder, name)}.`;
}
