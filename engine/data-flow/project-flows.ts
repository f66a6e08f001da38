import type { Client } from '@temporalio/client';
import type { Catalog } from '../../adapters/catalog/open-catalog.js';
import type { ProjectConfig } from '../../src/config/project-config.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { Log } from '../../src/pipeline/context.js';
import { openProjectCatalog } from '../project/project-catalog.js';
import type { Environment } from '../project/secrets.js';
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
    return (await this.#parts()).flows;
  }

  /** The catalog itself. Throws what {@link ProjectFlows.open} throws. */
  async catalog(): Promise<Catalog> {
    return (await this.#parts()).catalog;
  }

  async #parts(): Promise<{ readonly catalog: Catalog; readonly flows: DataFlows }> {
    const opening = (this.#opened ??= this.#open());
    try {
      return await opening;
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
    const catalog = await openProjectCatalog(this.options);
    const afterExecute = config.afterExecute !== undefined;
    const options = { catalog: catalog.dataFlows, client, taskQueue, afterExecute, flows, log };
    return { catalog, flows: new DataFlows(options) };
  }
}
