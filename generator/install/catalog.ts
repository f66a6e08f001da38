import type { Log } from '../../src/pipeline/context.js';
import { loadConfig } from '../../engine/project/load-config.js';
import { openProjectCatalog } from '../../engine/project/project-catalog.js';
import type { Environment } from '../../engine/project/secrets.js';

/**
 * Makes the catalog of a project, or brings its tables up to date.
 *
 * @returns why it could not be done; undefined where it was
 */
export async function prepareCatalog(
  dir: string,
  env: Environment,
  log: Log,
): Promise<string | undefined> {
  const { config } = await loadConfig(dir, env);
  if (config === undefined) return 'the configuration has mistakes: millrace check tells which';
  try {
    const catalog = await openProjectCatalog({ dir, config, env, log });
    await catalog.close();
    return undefined;
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}
