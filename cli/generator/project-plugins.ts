import { realpathSync } from 'node:fs';
import { findPlugins, type FoundPlugins } from '../../generator/plugin/search.js';
import { loadConfig } from '../../engine/project/load-config.js';
import { isDirectory } from '../../engine/project/project-files.js';
import { UsageError } from '../exit-code.js';

/**
 * The plugins of a project. Where its configuration has mistakes, those that it names are not looked for.
 *
 * @throws {@link UsageError} where there is no such folder
 */
export async function projectPlugins(dir: string): Promise<FoundPlugins> {
  if (!isDirectory(dir))
    throw new UsageError(`There is no folder ${dir}. Name the folder of a project: --dir.`);
  const { config, problems: wrong } = await loadConfig(dir, process.env);
  const { plugins, problems } = findPlugins(realpathSync(dir), config?.pluginPaths);
  return { plugins, problems: [...(config === undefined ? wrong : []), ...problems] };
}
