import { z } from 'zod';
import { CONFIG_OPTIONS } from '../../src/config/config-options.js';
import { isPlainObject } from '../../src/definition/json.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import { isUnset, type Environment } from './secrets.js';

/** Options that take references. What they stand for is put in where it is used, and is nowhere else. */
export const REFERRING_OPTIONS: readonly string[] = [
  'webhooks.secret',
  'sessions.secret',
  'approvals.secret',
  'catalog.url',
  'dataFlows.heartbeat.authenticationToken',
];

/** `${NAME}`, or with what it is where that is not set: `${NAME:-8787}`. */
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** What is wrong with a text. */
interface VariableProblem {
  readonly path: Path;
  readonly message: string;
}

/**
 * The value of an option with the variables of the environment that it names. A text that is one variable and nothing else may be a
 * number, or true or false, where the option takes that.
 *
 * @param path - of the option, by the names that code uses
 * @returns undefined as the value where a variable is not set
 */
export function withVariables(
  value: unknown,
  path: Path,
  env: Environment,
): { readonly value: unknown; readonly problems: readonly VariableProblem[] } {
  const problems: VariableProblem[] = [];
  const option = path.join('.');
  const isReferring = REFERRING_OPTIONS.includes(option);
  const schema = CONFIG_OPTIONS.get(option)?.schema;
  const textOf = (text: string, place: Path): unknown => {
    const replaced = text.replace(VARIABLE, (whole, name: string, otherwise?: string) => {
      if (!isUnset(env, name)) return isReferring ? `\${${name}}` : (env[name] ?? '');
      if (otherwise !== undefined) return otherwise;
      if (isReferring) return whole;
      problems.push({
        path: place,
        message: `the environment variable ${name} is not set. Set it before you start, or write what it is then: \${${name}:-…}.`,
      });
      return '';
    });
    const isOne = [...text.matchAll(VARIABLE)].some(([match]) => match === text);
    return isOne ? scalar(replaced, schema) : replaced;
  };
  const walk = (part: unknown, place: Path): unknown => {
    if (typeof part === 'string') return textOf(part, place);
    if (Array.isArray(part)) return part.map((item, at) => walk(item, [...place, at]));
    if (!isPlainObject(part)) return part;
    return Object.fromEntries(
      Object.entries(part).map(([name, member]) => [name, walk(member, [...place, name])]),
    );
  };
  const walked = walk(value, path);
  return { value: problems.length === 0 ? walked : undefined, problems };
}

/** What a text stands for where an option takes a number, or true or false; else the text. */
export function scalar(text: string, schema: z.ZodType | undefined): unknown {
  if (schema instanceof z.ZodNumber && text.trim() !== '' && Number.isFinite(Number(text)))
    return Number(text);
  if (schema instanceof z.ZodBoolean && ['true', 'false'].includes(text)) return text === 'true';
  return text;
}
