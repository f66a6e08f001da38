import { realpathSync } from 'node:fs';
import { loadConfig } from '../../engine/project/load-config.js';
import { isDirectory } from '../../engine/project/project-files.js';
import type { Environment } from '../../engine/project/secrets.js';
import { GenerationRefused } from '../refusal.js';
import { findPlugins, type FoundPlugins } from './search.js';

/**
 * The plugins of a project, those among them that its configuration names. Where that has mistakes, they are told of, and those plugins
 * are not looked for.
 *
 * @param dir - the project's folder
 * @throws {@link GenerationRefused} where there is no such folder
 */
export async function projectPlugins(
  dir: string,
  env: Environment = process.env,
): Promise<FoundPlugins> {
  if (!isDirectory(dir))
    throw new GenerationRefused([
      { message: `There is no folder ${dir}. Name the folder of a project: --dir.` },
    ]);
  const { config, problems: wrong } = await loadConfig(dir, env);
  const { plugins, problems } = findPlugins(realpathSync(dir), config?.pluginPaths);
  return { plugins, problems: [...(config === undefined ? wrong : []), ...problems] };
}
