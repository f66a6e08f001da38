import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Problem } from '../../src/definition/problem.js';
import { isDirectory } from '../../engine/project/project-files.js';
import { shownPath } from '../../engine/project/site.js';
import { PLUGIN_FILE } from './manifest.js';
import { isPlugin, loadPlugin, type Plugin } from './plugin.js';

/** Most folders that are looked at for plugins. */
const MAX_FOLDERS = 20_000;

/** The plugins that there are for a project, and what is wrong with those that are none. */
export interface FoundPlugins {
  /** Millrace's own first. */
  readonly plugins: readonly Plugin[];
  readonly problems: readonly Problem[];
}

/** The name of the plugin that comes with the package. */
export const OWN_PLUGIN = 'millrace';

/**
 * Finds plugins: Millrace's own, those in the folders that the configuration names, and those among the packages of the project. One
 * that is wrong is told of, and keeps none of the others from being used.
 *
 * @param dir - the project's folder, without symbolic links
 * @param paths - folders, as `pluginPaths` of the configuration has them: of a plugin, or of several
 */
export function findPlugins(dir: string, paths: readonly string[] = []): FoundPlugins {
  const problems: Problem[] = [];
  const plugins: Plugin[] = [];
  for (const folder of [
    ownPluginFolder(),
    ...configured(dir, paths, problems),
    ...installed(dir),
  ]) {
    const { plugin, problems: wrong } = loadPlugin(folder, dir);
    problems.push(...wrong);
    if (plugin === undefined || plugins.some((other) => other.dir === plugin.dir)) continue;
    const other = plugins.find(({ name }) => name === plugin.name);
    if (other === undefined) plugins.push(plugin);
    else problems.push(sameName(plugin, other, dir));
  }
  return { plugins, problems };
}

/** The folder `templates/` of this package: two levels above its compiled code, one above its source. */
export function ownPluginFolder(): string {
  const above = [join(import.meta.dirname, '../..'), join(import.meta.dirname, '../../..')];
  const found = above.map((folder) => join(folder, 'templates')).find(isPlugin);
  if (found === undefined) throw new Error('the package has lost its folder templates/');
  return found;
}

function configured(dir: string, paths: readonly string[], problems: Problem[]): readonly string[] {
  return paths.flatMap((path) => {
    const folder = resolve(dir, path);
    const there = isPlugin(folder) ? [folder] : pluginsBelow(folder);
    if (there.length === 0)
      problems.push({
        message: `pluginPaths: there is no plugin in ${shownPath(folder, dir)}: no ${PLUGIN_FILE} in it, nor in a folder below it.`,
      });
    return there;
  });
}

/** Packages that are plugins, as Node.js would find them: in `node_modules` of the folder, and of those above it. */
function installed(dir: string): readonly string[] {
  const found: string[] = [];
  for (let folder = dir; ; folder = dirname(folder)) {
    const packages = join(folder, 'node_modules');
    const scopes = foldersIn(packages).filter((path) => /[/\\]@[^/\\]+$/.test(path));
    found.push(...[packages, ...scopes].flatMap(pluginsBelow));
    if (dirname(folder) === folder) return found;
  }
}

function pluginsBelow(folder: string): readonly string[] {
  return foldersIn(folder).filter(isPlugin);
}

function foldersIn(folder: string): readonly string[] {
  if (!existsSync(folder) || !isDirectory(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .slice(0, MAX_FOLDERS)
    .sort()
    .map((name) => join(folder, name))
    .filter(isDirectory);
}

function sameName(plugin: Plugin, other: Plugin, dir: string): Problem {
  return {
    site: { file: shownPath(join(plugin.dir, PLUGIN_FILE), dir) },
    message: `there is another plugin called "${plugin.name}", in ${shownPath(other.dir, dir)}. This one is left out.`,
  };
}
