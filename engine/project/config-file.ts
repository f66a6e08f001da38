import { parseConfig, type ConfigDefinition, type ProjectConfig } from '../../src/config/config.js';
import { references } from '../../src/config/references.js';
import { isDefinition } from '../../src/definition/brand.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { LoadedModule } from './module-evaluation.js';
import { isUnset, type Environment } from './secrets.js';
import { shownPath, shownSite } from './site.js';

/** A project's configuration, and where it is written. */
export interface ReadConfig {
  readonly config?: ProjectConfig;
  /** Undefined where the project has no file for it. */
  readonly site?: Site;
  readonly problems: readonly Problem[];
}

/**
 * Reads the configuration from its module; without a module it has nothing but defaults.
 *
 * @param over - wins over what the module says, option by option
 */
export function readConfig(
  module: LoadedModule | undefined,
  dir: string,
  env: Environment,
  over: ConfigDefinition = {},
): ReadConfig {
  if (module === undefined) return parseConfig({}, over);
  const file = shownPath(module.file, dir);
  const value = module.exports['default'];
  if (value === undefined) {
    const message = 'there is no default export. Write: export default defineConfig({ … }).';
    return { site: { file }, problems: [{ site: { file }, definition: 'config', message }] };
  }
  const site = siteOf(value, dir) ?? { file };
  const { config, problems } = parseConfig(value, over);
  const unset = Object.entries(referring(config)).flatMap(([option, value]) =>
    references(value)
      .filter(({ kind, name: variable }) => kind === 'env' && isUnset(env, variable))
      .map(({ name: variable }) => ({ option, variable })),
  );
  return {
    ...(config !== undefined && { config }),
    site,
    problems: [
      ...problems.map((problem) => ({ ...problem, site })),
      ...unset.map(({ option, variable }) => ({
        site,
        definition: 'config',
        message: `config: ${option}: the environment variable ${variable} is not set. Set it before you start, or take the option out.`,
      })),
    ],
  };
}

/** The options that refer to secrets, by their names. */
function referring(config: ProjectConfig | undefined): Readonly<Record<string, unknown>> {
  if (config === undefined) return {};
  return {
    'webhooks.secret': config.webhooks.secrets,
    'sessions.secret': config.sessions?.secrets,
    'catalog.url': config.catalog.url,
    'dataFlows.heartbeat.authenticationToken': config.dataFlows.heartbeat.authenticationToken,
  };
}

function siteOf(value: unknown, dir: string): Site | undefined {
  if (!isDefinition(value, 'config') || !('site' in value) || value.site === undefined)
    return undefined;
  // Only defineConfig writes a site, and it writes nothing else there.
  return shownSite(value.site as Site, dir);
}
