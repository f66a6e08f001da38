import type { Selectable } from 'kysely';
import type {
  EntityCatalog,
  ValueHistoryEntry,
} from '../../../src/attribute-pipeline/entity-catalog.js';
import type { EavHistoryTable } from '../attribute-tables.js';
import type { CatalogDatabase } from '../database.js';
import { readVersions } from '../eav-rows.js';
import { readJson, readTime } from '../values.js';
import { findAttribute } from './attributes.js';
import { findEntity } from './entity-rows.js';

/** The part of the port that tells what has happened to values. */
export function valueHistory(database: CatalogDatabase): Pick<EntityCatalog, 'history'> {
  return {
    history: ({ entityId, attribute: name }, { after, limit }) =>
      database.read(async (db) => {
        const { entity_type } = await findEntity(db, entityId);
        const { id } = await findAttribute(db, entity_type, name);
        let query = db
          .selectFrom('eav_history')
          .selectAll()
          .where('entity_id', '=', entityId)
          .where('attribute_id', '=', id)
          .orderBy('version', 'desc')
          .limit(limit + 1);
        if (after !== undefined) query = query.where('version', '<', Number(after));
        const rows = await query.execute();
        const items = rows.slice(0, limit).map(entryOf);
        const last = items.at(-1);
        return {
          items,
          ...(rows.length > limit && last !== undefined && { next: String(last.version) }),
        };
      }),
  };
}

function entryOf(row: Selectable<EavHistoryTable>): ValueHistoryEntry {
  return {
    version: row.version,
    change: row.change,
    value: row.value === null ? undefined : readJson(row.value),
    justification: row.justification,
    confidence: row.confidence,
    pipelineVersion: row.pipeline_version,
    inputs: readVersions(row.inputs),
    runId: row.run_id,
    principal: row.principal,
    at: readTime(row.at),
  };
}
