import type { Client } from '@temporalio/client';
import type { Sandbox } from '../../src/attribute-pipeline/sandbox.js';
import type { ProjectAttributeSettings } from '../../src/config/attribute-settings.js';
import type { Log } from '../../src/pipeline/context.js';
import { AttributeSchedules } from './attribute-schedules.js';
import type { Registry } from '../registry.js';
import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import { Attributes } from './attributes.js';

/** What {@link ProjectAttributes} needs. */
export interface ProjectAttributesOptions {
  readonly client: Client;
  readonly taskQueue: string;
  readonly settings: ProjectAttributeSettings;
  /** False: nothing is started by time. */
  readonly schedules: boolean;
  readonly log: Pick<Log, 'warn'>;
  /** The deployed code, as it is now. */
  readonly code: { readonly registry: Registry };
  /** Names of the models of config.yml. */
  readonly models: () => readonly string[];
  /** Opens the catalog, or gives the one that is open. Whoever gives it closes it. */
  readonly catalog: () => Promise<AttributeCatalogs>;
}

/** The attribute pipelines of a project. Sandbox and catalog are there when they are needed. */
export class ProjectAttributes {
  #sandbox: Promise<Sandbox> | undefined;

  constructor(private readonly options: ProjectAttributesOptions) {}

  /** @throws {@link CatalogUnavailable}, {@link CatalogNewer}, {@link UnresolvedReferences}; the next call tries again */
  async open(): Promise<Attributes> {
    const { client, taskQueue, code, models, catalog, schedules, log } = this.options;
    return new Attributes({
      catalog: await catalog(),
      client,
      taskQueue,
      models,
      modules: () => code.registry.modules,
      isDefinition: (name) => isDefinition(code.registry, name),
      sandbox: () => this.sandbox(),
      log,
      ...(schedules && { schedules: this.schedules }),
    });
  }

  /** The schedules of the project's attribute pipelines. */
  get schedules(): AttributeSchedules {
    return new AttributeSchedules(this.options);
  }

  /** The one sandbox of this process. */
  sandbox(): Promise<Sandbox> {
    return (this.#sandbox ??= startSandbox());
  }

  /** Ends the sandbox. The catalog is whose that gave it. */
  async close(): Promise<void> {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    await (await sandbox)?.close();
  }
}

/** Loaded when used: WebAssembly, which most processes have no use for. */
async function startSandbox(): Promise<Sandbox> {
  const { quickjsSandbox } = await import('../../adapters/sandbox/quickjs-sandbox.js');
  return quickjsSandbox();
}

function isDefinition(
  { definitions, dataFlows, recordPipelines }: Registry,
  name: string,
): boolean {
  return definitions.has(name) || dataFlows.has(name) || recordPipelines.has(name);
}
