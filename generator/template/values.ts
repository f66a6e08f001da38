import { nameProblem } from '../../src/definition/name.js';
import type { Problem } from '../../src/definition/problem.js';
import { unknownName } from '../../src/definition/unknown-name.js';
import type { PluginTemplate } from '../plugin/plugin.js';
import { CASES } from './cases.js';

/** Values of parameters as somebody has given them. */
export type GivenValues = Readonly<Record<string, string>>;

/** Every parameter of a template with its value; null where it has none. */
export type TemplateValues = Readonly<Record<string, string | null>>;

/** Longest value, in characters. */
const MAX_LENGTH = 1_000;

/** Parameters that become names of definitions, whatever else a template does with them. */
const NAMES: readonly string[] = ['name', 'namespace'];

/** What YAML or TypeScript takes for something else than a name. */
const CONSTANTS: readonly string[] = ['null', 'true', 'false', 'undefined'];

// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f\u2028\u2029]/;

/** The values that a template is filled in with, or everything that is wrong with those that were given. */
export function templateValues(
  { name: template, parameters }: Pick<PluginTemplate, 'name' | 'parameters'>,
  given: GivenValues,
): { readonly values: TemplateValues; readonly problems: readonly Problem[] } {
  const known = parameters.map(({ name }) => name);
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  const values = parameters.map(({ name, default: unlessGiven }) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    return [name, value === undefined || value === '' ? (unlessGiven ?? null) : value] as const;
  });
  const missing = parameters.filter(
    ({ name, required }) => required && new Map(values).get(name) === null,
  );
  const messages = [
    ...unknown.map((name) => `${template}: ${unknownName(name, known, 'parameter')}`),
    ...missing.map(
      ({ name, description }) => `${template}: the parameter "${name}" is required: ${description}`,
    ),
    ...values.flatMap(([name, value]) => {
      const problem = value === null ? undefined : valueProblem(name, value);
      return problem === undefined ? [] : `${template}: the parameter "${name}" ${problem}`;
    }),
  ];
  return {
    values: Object.fromEntries(values),
    problems: messages.map((message) => ({ message })),
  };
}

function valueProblem(name: string, value: string): string | undefined {
  if (value.length > MAX_LENGTH)
    return `has a value of ${String(value.length)} characters; the longest is ${String(MAX_LENGTH)}.`;
  if (UNPRINTABLE.test(value)) return 'has a value of several lines, or with control characters.';
  return NAMES.includes(name) ? nameInAnyCase(value) : undefined;
}

/** Templates write a name in all cases, and each of them may be one that is reserved: `Constructor` is `constructor` in another one. */
function nameInAnyCase(value: string): string | undefined {
  const written = [value, ...Object.values(CASES).map((change) => change(value))];
  const constant = written.find((text) => CONSTANTS.includes(text));
  if (constant !== undefined)
    return `is "${constant}", which code takes for something else. Choose another name.`;
  return written.map((text) => nameProblem(text)).find((problem) => problem !== undefined);
}
