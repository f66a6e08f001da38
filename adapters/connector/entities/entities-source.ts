import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Attribute } from '../../../src/attribute-pipeline/attribute.js';
import type {
  EntityCatalog,
  PublishedValue,
  UnpublishedEntity,
} from '../../../src/attribute-pipeline/entity-catalog.js';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSource, type SourceContext } from '../../../src/data-flow/source.js';
import { canonicalJson, type Json } from '../../../src/definition/json.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { attributesNamed } from './attribute-selection.js';

const EntitiesSourceOptions = z.strictObject({
  entityType: z.string().min(1).describe('Of which type the entities are.'),
  key: z.string().min(1).default('key').describe('The column that gets the key of an entity.'),
  attributes: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Which attributes a row has. All that are exported (`is_sync`), unless given.'),
});

type Options = z.output<typeof EntitiesSourceOptions>;

/** Where a run is. The digest makes the cursor of a batch with other values another one, for receivers that know batches by it. */
const Cursor = z.strictObject({
  pass: z.int().min(0),
  after: z.string().nullable(),
  digest: z.string(),
});
type Cursor = z.output<typeof Cursor>;

const BEGINNING: Cursor = { pass: 0, after: null, digest: '' };

/**
 * Gives the entities of which another value is approved than was exported, with what is approved of them. What the sink has taken
 * counts as exported then, and is `live`.
 *
 * Ends with permanent errors of type `UnknownEntityType`, `UnknownAttribute` and `NotExported`.
 */
export const entitiesSource = defineSource({
  name: 'entities',
  description: 'Gives what is approved and not exported yet, and notes what was taken.',
  options: EntitiesSourceOptions,
  async *read(context) {
    const { options, batchSize, signal, run } = context;
    const catalog = await context.entities();
    const exporting = new Exporting(catalog, await exportedAttributes(catalog, options), options);
    let cursor = cursorOf(context);
    for (let more = true; more;) {
      signal.throwIfAborted();
      const { entities, next } = await exporting.page(cursor.after, batchSize);
      more = next !== null;
      if (entities.length === 0 && cursor.after === null) return;
      const rows = await exporting.rows(entities);
      cursor = cursorBehind(cursor, next, rows);
      const principal = `flow ${run.name}`;
      const acknowledge = (taken: readonly Row[]): Promise<void> =>
        exporting.publish(rows, taken, principal);
      yield { rows: rows.map(({ row }) => row), cursor, acknowledge };
    }
  },
});

/** An entity on its way, and the row that it is as. */
interface ExportedRow {
  readonly entity: UnpublishedEntity;
  readonly row: Row;
}

/** Reads and notes what is exported. */
class Exporting {
  constructor(
    private readonly catalog: EntityCatalog,
    private readonly attributes: readonly Attribute[],
    private readonly options: Options,
  ) {}

  async page(
    after: string | null,
    limit: number,
  ): Promise<{ readonly entities: readonly UnpublishedEntity[]; readonly next: string | null }> {
    const names = this.attributes.map(({ name }) => name);
    const page = { limit, ...(after !== null && { after }) };
    const { items, next = null } = await this.catalog.unpublished(
      this.options.entityType,
      names,
      page,
    );
    return { entities: items, next };
  }

  /** Entities that one belongs to are told by their keys. */
  async rows(entities: readonly UnpublishedEntity[]): Promise<readonly ExportedRow[]> {
    const related = this.attributes.filter(({ relatedType }) => relatedType !== null);
    const ids = entities.flatMap(({ values }) =>
      related.flatMap(({ name }) => [values[name] ?? null].flat()),
    );
    const texts = [...new Set(ids.filter((id) => typeof id === 'string'))];
    const keys =
      texts.length === 0 ? new Map<string, string>() : await this.catalog.keysById(texts);
    const names = new Set(related.map(({ name }) => name));
    return entities.map((entity) => {
      const values = Object.entries(entity.values).map(([name, value]) => [
        name,
        names.has(name) ? keysIn(value, keys) : value,
      ]);
      const row: Row = {
        [this.options.key]: entity.key,
        ...(Object.fromEntries(values) as Record<string, Json>),
      };
      return { entity, row };
    });
  }

  async publish(
    rows: readonly ExportedRow[],
    taken: readonly Row[],
    principal: string,
  ): Promise<void> {
    const safe = new Set(taken);
    const values = rows.flatMap(({ entity: { id, values: approved }, row }) =>
      safe.has(row)
        ? Object.entries(approved).map(([attribute, value]): PublishedValue => ({
            entityId: id,
            attribute,
            value,
          }))
        : [],
    );
    if (values.length === 0) return;
    await this.catalog.publish(this.options.entityType, values, { principal, now: new Date() });
  }
}

/** An entity without a key is not known elsewhere. */
function keysIn(value: Json, keys: ReadonlyMap<string, string>): Json {
  const keyOf = (id: Json): Json => (typeof id === 'string' ? (keys.get(id) ?? null) : null);
  return Array.isArray(value) ? value.map(keyOf).filter((key: Json) => key !== null) : keyOf(value);
}

async function exportedAttributes(
  catalog: EntityCatalog,
  { entityType, attributes: names }: Options,
): Promise<readonly Attribute[]> {
  const attributes = await attributesNamed(catalog, entityType, names);
  const isExported = ({ isSync }: Attribute): boolean =>
    isSync === 'to_external' || isSync === 'bidirectional';
  const exported = attributes.filter(isExported);
  const other = names === undefined ? undefined : attributes.find((one) => !isExported(one));
  if (other === undefined && exported.length > 0) return exported;
  const what =
    other === undefined
      ? `No attribute of ${entityType} is exported.`
      : `${other.name} is not exported: is_sync is ${other.isSync}.`;
  throw permanent(
    `${what} Set is_sync to to_external or bidirectional.`,
    { entityType },
    'NotExported',
  );
}

function cursorOf({ cursor }: SourceContext<Options>): Cursor {
  if (cursor === undefined) return BEGINNING;
  const parsed = Cursor.safeParse(cursor);
  if (parsed.success) return parsed.data;
  throw permanent(
    'The cursor is that of another source: reset the flow to read from the beginning.',
    undefined,
    'InvalidCursor',
  );
}

/** At the end the next run begins anew: what was not taken is given again. */
function cursorBehind({ pass }: Cursor, next: string | null, rows: readonly ExportedRow[]): Cursor {
  const digest = createHash('sha256')
    .update(canonicalJson(rows.map(({ entity: { id, values } }) => [id, values])))
    .digest('base64url');
  return { pass: next === null ? pass + 1 : pass, after: next, digest };
}
