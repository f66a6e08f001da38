import { isAbsolute, join, resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Catalog } from '../../adapters/catalog/open-catalog.js';
import type { ProjectConfig } from '../../src/config/config.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { Log } from '../../src/pipeline/context.js';
import { STATE_FOLDER } from '../dev-server/dev-record.js';
import { resolveReferences, secretSources, type Environment } from '../project/secrets.js';
import { DataFlows } from './data-flows.js';

/** What {@link ProjectFlows} needs. */
export interface ProjectFlowsOptions {
  /** The project's folder, absolute. */
  readonly dir: string;
  readonly config: ProjectConfig;
  readonly env: Environment;
  readonly client: Client;
  readonly taskQueue: string;
  /** The flows that the deployed code has, as it is now. */
  readonly flows: () => ReadonlyMap<string, CompiledDataFlow>;
  readonly log: Log;
}

/** The data flows of a project. Its catalog is opened when it is needed: projects without flows have none. */
export class ProjectFlows {
  #opened: Promise<{ readonly catalog: Catalog; readonly flows: DataFlows }> | undefined;

  constructor(private readonly options: ProjectFlowsOptions) {}

  /** @throws {@link CatalogUnavailable}, {@link CatalogNewer}, {@link UnresolvedReferences}; the next call tries again */
  async open(): Promise<DataFlows> {
    const opening = (this.#opened ??= this.#open());
    try {
      return (await opening).flows;
    } catch (error) {
      if (this.#opened === opening) this.#opened = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    // One that could not be opened has nothing to close.
    await opened?.then(
      ({ catalog }) => catalog.close(),
      () => undefined,
    );
  }

  async #open(): Promise<{ readonly catalog: Catalog; readonly flows: DataFlows }> {
    const { config, client, taskQueue, flows, log } = this.options;
    // Loaded when used: hundreds of files, which most commands have no use for.
    const { openCatalog } = await import('../../adapters/catalog/open-catalog.js');
    const catalog = await openCatalog({ url: await catalogUrl(this.options), log });
    const afterExecute = config.afterExecute !== undefined;
    const options = { catalog: catalog.dataFlows, client, taskQueue, afterExecute, flows, log };
    return { catalog, flows: new DataFlows(options) };
  }
}

/** Where a project's catalog is: what its config says, else `DATABASE_URL`, else a file in its state folder. */
async function catalogUrl({
  dir,
  config,
  env,
}: Pick<ProjectFlowsOptions, 'dir' | 'config' | 'env'>): Promise<string> {
  const { url } = await resolveReferences(config.catalog, secretSources({ config }, env));
  const configured = url ?? env['DATABASE_URL'];
  if (configured === undefined || configured === '')
    return `sqlite:${join(dir, STATE_FOLDER, 'catalog.db')}`;
  const [, path] = /^sqlite:(.*)$/.exec(configured) ?? [];
  return path === undefined || isAbsolute(path) ? configured : `sqlite:${resolve(dir, path)}`;
}
