import { sql } from 'kysely';
import type { EntityCatalog } from '../../src/attribute-pipeline/entity-catalog.js';
import type { EvalCatalog } from '../../src/attribute-pipeline/eval-catalog.js';
import type { PipelineCatalog } from '../../src/attribute-pipeline/pipeline-catalog.js';
import type { RunCatalog } from '../../src/attribute-pipeline/run-catalog.js';
import type { DataFlowCatalog } from '../../src/data-flow/catalog.js';
import type { CatalogPool } from '../../src/config/project-config.js';
import type { Log } from '../../src/pipeline/context.js';
import type { StoreCatalog } from '../../src/record-pipeline/store-catalog.js';
import { evalCatalog } from './attribute-pipelines/eval-catalog.js';
import { pipelineCatalog } from './attribute-pipelines/pipeline-catalog.js';
import { runCatalog } from './attribute-pipelines/run-catalog.js';
import { catalogAddress, type CatalogAddress } from './catalog-address.js';
import { CatalogNewer, CatalogUnavailable } from './catalog-errors.js';
import { dataFlowCatalog } from './data-flows/data-flow-catalog.js';
import { entityCatalog } from './entities/entity-catalog.js';
import { errorMessage } from '../error-parts.js';
import type { CatalogDatabase } from './database.js';
import { migrate } from './migrations/migrate.js';
import { storeCatalog } from './record-stores.js';
import { openPostgres } from './postgres-database.js';
import { openSqlite } from './sqlite-database.js';

/** The SQL database for what Temporal does not keep. */
export interface Catalog {
  readonly dataFlows: DataFlowCatalog;
  readonly recordStores: StoreCatalog;
  readonly entities: EntityCatalog;
  readonly attributePipelines: PipelineCatalog;
  readonly attributeRuns: RunCatalog;
  readonly attributeEvals: EvalCatalog;
  /** Rejects where the database does not answer. */
  readonly ping: () => Promise<void>;
  /** Ends its connections. May be called more than once. */
  readonly close: () => Promise<void>;
}

/** Which catalog to open. */
export interface CatalogOptions {
  /** `sqlite:<absolute path>`, `postgres://…` or `postgresql://…`. */
  readonly url: string;
  /** Told of migrations and of lost connections. */
  readonly log?: Pick<Log, 'info' | 'warn'>;
  /** Connections to PostgreSQL; the defaults of the configuration unless given. */
  readonly pool?: CatalogPool;
}

/**
 * Opens a catalog and brings its tables up to date. Any number of processes may have it open, and open it at the same time.
 *
 * @throws {@link CatalogUnavailable} when it cannot be reached within 10 seconds or cannot be used
 * @throws {@link CatalogNewer}
 */
export async function openCatalog({ url, log, pool }: CatalogOptions): Promise<Catalog> {
  const at = catalogAddress(url);
  let database: CatalogDatabase | undefined;
  try {
    database =
      at.kind === 'sqlite' ? await openSqlite(at.file) : await openPostgres(at.url, { log, pool });
    await sql`select 1`.execute(database.kysely);
    const { migrations, isNew } = await migrate(database, at.address);
    // Of one that is there for the first time nobody needs to be told.
    if (migrations.length > 0 && !isNew)
      log?.info(
        { catalog: at.address, migrations },
        "The catalog's tables were brought up to date.",
      );
  } catch (error) {
    await database?.close();
    throw error instanceof CatalogNewer ? error : unavailable(at, error);
  }
  const opened = database;
  return {
    dataFlows: dataFlowCatalog(opened),
    recordStores: storeCatalog(opened),
    entities: entityCatalog(opened),
    attributePipelines: pipelineCatalog(opened),
    attributeRuns: runCatalog(opened),
    attributeEvals: evalCatalog(opened),
    ping: async () => {
      await sql`select 1`.execute(opened.kysely);
    },
    close: () => opened.close(),
  };
}

function unavailable({ kind, address }: CatalogAddress, error: unknown): CatalogUnavailable {
  return new CatalogUnavailable(address, errorMessage(error), REMEDIES[kind], error);
}

const REMEDIES: Readonly<Record<CatalogAddress['kind'], string>> = {
  sqlite:
    'Check that this user may create and write the file and its folder, and that the file is a SQLite database.',
  postgres:
    'Check that PostgreSQL runs there, that the database exists, and that user and password are right and may create tables.',
};
