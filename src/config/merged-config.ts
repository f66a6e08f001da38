import { isDefinition } from '../definition/brand.js';
import { isPlainObject } from '../definition/json.js';
import { isConfigGroup } from './config-options.js';

/**
 * Configurations as one: of each option the last that is set, also in groups such as `server`. One that is no object is given as it
 * is, so that somebody is told.
 */
export function mergedConfig(values: readonly unknown[]): unknown {
  return values
    .map((value) => whatIsSet(value, []))
    .reduce((before, value) => merged(before, value, []), {});
}

/** What a person has set: without what `defineConfig` adds, and without options that are there but undefined. */
function whatIsSet(value: unknown, path: readonly string[]): unknown {
  if (!isPlainObject(value)) return value;
  const { site, ...rest } = value;
  const options = isDefinition(value, 'config')
    ? rest
    : { ...rest, ...(site !== undefined && { site }) };
  return Object.fromEntries(
    Object.entries(options)
      .filter(([, option]) => option !== undefined)
      .map(([name, option]) => {
        const inner = [...path, name];
        return [name, isConfigGroup(inner) ? whatIsSet(option, inner) : option];
      }),
  );
}

function merged(before: unknown, value: unknown, path: readonly string[]): unknown {
  if (!isPlainObject(before)) return before;
  if (!isPlainObject(value)) return value;
  const options: Record<string, unknown> = { ...before };
  for (const [name, option] of Object.entries(value)) {
    const inner = [...path, name];
    const known = options[name];
    options[name] =
      isConfigGroup(inner) && isPlainObject(known) && isPlainObject(option)
        ? merged(known, option, inner)
        : option;
  }
  return options;
}
