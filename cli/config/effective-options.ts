import ms from 'ms';
import type { LoadedConfig } from '../../engine/project/load-config.js';
import { OPTION_VARIABLES } from '../../engine/project/config-variables.js';
import { isUnset, type Environment } from '../../engine/project/secrets.js';
import { REFERRING_OPTIONS } from '../../engine/project/toml-variables.js';
import { CONFIG_OPTIONS, type ConfigOption } from '../../src/config/config-options.js';
import { AS_ANOTHER, OTHER_DEFAULTS, STAND_INS } from '../../src/config/option-defaults.js';
import { references } from '../../src/config/references.js';
import { isPlainObject } from '../../src/definition/json.js';

/** An option as it is in effect, and where that comes from. */
export interface EffectiveOption {
  /** `server.port`. */
  readonly option: string;
  /** As a person would write it, without secrets; null where it is not set. */
  readonly value: string | null;
  /** `config/millrace/base/server.toml:4`, `MILLRACE_PORT`, `default`, `not set`. */
  readonly source: string;
}

/** Variables of the environment that set an option: those that win over what is written, and those that stand in where nothing is. */
const VARIABLES: Readonly<Record<string, { readonly name: string; readonly wins: boolean }>> = {
  ...Object.fromEntries(
    Object.entries(OPTION_VARIABLES).map(([option, name]) => [option, { name, wins: true }]),
  ),
  ...Object.fromEntries(
    Object.entries(STAND_INS).map(([option, name]) => [option, { name, wins: false }]),
  ),
};

/** Every option of a configuration, in the order of its schema. */
export function effectiveOptions(
  loaded: Pick<LoadedConfig, 'written' | 'siteOf'>,
  env: Environment,
): readonly EffectiveOption[] {
  return [...CONFIG_OPTIONS].map(([option, about]) => effective(option, about, loaded, env));
}

function effective(
  option: string,
  about: ConfigOption,
  loaded: Pick<LoadedConfig, 'written' | 'siteOf'>,
  env: Environment,
): EffectiveOption {
  const written = valueAt(loaded.written, about.path);
  const variable = VARIABLES[option];
  const isInEnvironment = variable !== undefined && !isUnset(env, variable.name);
  if (isInEnvironment && (variable.wins || written === undefined))
    return { option, value: masked(env[variable.name] ?? ''), source: variable.name };
  if (written !== undefined) {
    const site = loaded.siteOf(about.path);
    const source = site === undefined ? '' : [site.file, site.line ?? 1].join(':');
    return { option, value: shown(option, about, written, env), source };
  }
  const other = AS_ANOTHER[option];
  const another = other === undefined ? undefined : CONFIG_OPTIONS.get(other);
  if (other !== undefined && another !== undefined)
    return { ...effective(other, another, loaded, env), option, source: `as ${other}` };
  const { defaultValue } = about;
  if (about.isCode || defaultValue === undefined) {
    const value = OTHER_DEFAULTS[option] ?? null;
    return { option, value, source: value === null ? 'not set' : 'default' };
  }
  return { option, value: shown(option, about, defaultValue, env), source: 'default' };
}

function shown(
  option: string,
  { isCode, isDuration }: ConfigOption,
  value: unknown,
  env: Environment,
): string {
  if (isCode) return typeof value === 'function' ? '(a function)' : '(code)';
  if (isDuration && typeof value === 'number') return ms(value);
  const text = masked(typeof value === 'string' ? value : JSON.stringify(value));
  if (!REFERRING_OPTIONS.includes(option)) return text;
  const unset = references(value).some(({ kind, name }) => kind === 'env' && isUnset(env, name));
  return `${text}${unset ? ' (not set)' : ''}`;
}

/** Passwords of addresses are nobody's business who looks at a configuration. */
function masked(text: string): string {
  return text
    .replace(/(:\/\/[^:@/\s]*:)(?!\$\{\w+\}@)[^\s"]+@/g, '$1***@')
    .replace(/([?&]\w*password=)(?!\$\{)[^&\s"]+/gi, '$1***');
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (part, name) => (isPlainObject(part) ? part[name] : undefined),
    value,
  );
}
