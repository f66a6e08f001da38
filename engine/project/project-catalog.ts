import { isAbsolute, join, resolve } from 'node:path';
import type { Catalog } from '../../adapters/catalog/open-catalog.js';
import type { ProjectConfig } from '../../src/config/project-config.js';
import type { Log } from '../../src/pipeline/context.js';
import { STATE_FOLDER } from '../dev-server/dev-record.js';
import { resolveReferences, secretSources, type Environment } from './secrets.js';

/** Whose catalog is opened. */
export interface ProjectCatalogOptions {
  /** The project's folder, absolute. */
  readonly dir: string;
  readonly config: ProjectConfig;
  readonly env: Environment;
  readonly log: Log;
}

/** Opens a project's catalog. @throws {@link CatalogUnavailable}, {@link CatalogNewer}, {@link UnresolvedReferences} */
export async function openProjectCatalog(options: ProjectCatalogOptions): Promise<Catalog> {
  // Loaded when used: hundreds of files, which most commands have no use for.
  const { openCatalog } = await import('../../adapters/catalog/open-catalog.js');
  const { log, config } = options;
  return openCatalog({ url: await catalogUrl(options), log, pool: config.catalog.pool });
}

/** Where a project's catalog is: what its config says, else `DATABASE_URL`, else a file in its state folder. */
async function catalogUrl({ dir, config, env }: ProjectCatalogOptions): Promise<string> {
  const { url } = await resolveReferences(
    { url: config.catalog.url },
    secretSources({ config }, env),
  );
  const configured = url ?? env['DATABASE_URL'];
  if (configured === undefined || configured === '')
    return `sqlite:${join(dir, STATE_FOLDER, 'catalog.db')}`;
  const [, path] = /^sqlite:(.*)$/.exec(configured) ?? [];
  return path === undefined || isAbsolute(path) ? configured : `sqlite:${resolve(dir, path)}`;
}
