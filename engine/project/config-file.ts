import { type ConfigDefinition } from '../../src/config/config.js';
import { parseConfig, type ProjectConfig } from '../../src/config/project-config.js';
import { mergedConfig } from '../../src/config/merged-config.js';
import { references } from '../../src/config/references.js';
import { isDefinition } from '../../src/definition/brand.js';
import { isPlainObject } from '../../src/definition/json.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import type { LoadedModule } from './module-evaluation.js';
import { readConfigVariables } from './config-variables.js';
import { isUnset, type Environment } from './secrets.js';
import { shownPath, shownSite } from './site.js';
import { REFERRING_OPTIONS } from './toml-variables.js';
import type { TomlConfig } from './toml-config.js';

/** A project's configuration, and where it is written. */
export interface ReadConfig {
  readonly config?: ProjectConfig;
  /** Of the module; undefined where the project has none. */
  readonly site?: Site;
  /** What is set, by the names that code uses. */
  readonly written: unknown;
  /** Where an option is set; undefined where it has its default. */
  readonly siteOf: (path: Path) => Site | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Reads the configuration: what TOML files say, over it what its module says, and over that what variables of the environment say.
 * With none of them it has nothing but defaults.
 *
 * @param over - wins over all, option by option
 */
export function readConfig(
  module: LoadedModule | undefined,
  toml: TomlConfig,
  { dir, env }: { readonly dir: string; readonly env: Environment },
  over: ConfigDefinition = {},
): ReadConfig {
  const { value, site, problems: unread } = moduleConfig(module, dir);
  const siteOf = (path: Path): Site | undefined => (isSet(value, path) ? site : toml.siteOf(path));
  const written = mergedConfig([toml.value, value ?? {}]);
  const variables = readConfigVariables(env);
  const { config, problems } = parseConfig(mergedConfig([written, variables.value]), over);
  const wrong = problems.map(({ path, ...problem }): Problem => {
    const place = (path === undefined ? undefined : siteOf(path)) ?? site;
    return { ...problem, ...(place !== undefined && { site: place }) };
  });
  return {
    ...(config !== undefined && { config }),
    ...(site !== undefined && { site }),
    written,
    siteOf,
    problems: [
      ...toml.problems,
      ...unread,
      ...wrong,
      ...variables.problems,
      ...unsetReferences(mergedConfig([written, over]), siteOf, env),
    ],
  };
}

/** A project has one module with its configuration. */
export function ambiguousConfigs(
  [first = '', ...others]: readonly string[],
  dir: string,
): readonly Problem[] {
  const message = `the project has ${shownPath(first, dir)} too. Keep one of them.`;
  return others.map((file) => ({ site: { file: shownPath(file, dir) }, message }));
}

function moduleConfig(
  module: LoadedModule | undefined,
  dir: string,
): { readonly value?: unknown; readonly site?: Site; readonly problems: readonly Problem[] } {
  if (module === undefined) return { problems: [] };
  const file = shownPath(module.file, dir);
  const value = module.exports['default'];
  if (value === undefined) {
    const message = 'there is no default export. Write: export default defineConfig({ … }).';
    return { site: { file }, problems: [{ site: { file }, definition: 'config', message }] };
  }
  return { value, site: siteOf(value, dir) ?? { file }, problems: [] };
}

function isSet(value: unknown, path: Path): boolean {
  let part = value;
  for (const [at, name] of path.entries()) {
    if (!isPlainObject(part)) return at > 0;
    part = part[name];
    if (part === undefined) return false;
  }
  return true;
}

/** Variables that references name and that are not set. Looked for in what is written, so that it is told beside whatever else is wrong. */
function unsetReferences(
  written: unknown,
  siteOf: ReadConfig['siteOf'],
  env: Environment,
): readonly Problem[] {
  return REFERRING_OPTIONS.flatMap((option) => {
    const path = option.split('.');
    return references(valueAt(written, path))
      .filter(({ kind, name: variable }) => kind === 'env' && isUnset(env, variable))
      .map(({ name: variable }): Problem => {
        const site = siteOf(path);
        return {
          ...(site !== undefined && { site }),
          definition: 'config',
          message: `config: ${option}: the environment variable ${variable} is not set. Set it before you start, or take the option out.`,
        };
      });
  });
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (part, name) => (isPlainObject(part) ? part[name] : undefined),
    value,
  );
}

function siteOf(value: unknown, dir: string): Site | undefined {
  if (!isDefinition(value, 'config') || !('site' in value) || value.site === undefined)
    return undefined;
  // Only defineConfig writes a site, and it writes nothing else there.
  return shownSite(value.site as Site, dir);
}
