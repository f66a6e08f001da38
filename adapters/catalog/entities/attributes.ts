import type { Kysely, Selectable, Transaction } from 'kysely';
import { ulid } from 'ulid';
import {
  attributeNameProblem,
  settingsProblems,
  type Attribute,
  type AttributeSettings,
} from '../../../src/attribute-pipeline/attribute.js';
import {
  EditConflict,
  InUse,
  InvalidSettings,
  NameTaken,
  NotFound,
} from '../../../src/attribute-pipeline/catalog-errors.js';
import type { Author, EntityCatalog } from '../../../src/attribute-pipeline/entity-catalog.js';
import type { AttributesTable } from '../attribute-tables.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { optionalText, plainText, readTime, writeJson } from '../values.js';
import { findType, lockType } from './entity-types.js';

/** Most attributes of an entity type. */
export const MAX_ATTRIBUTES = 500;

/** The part of the port that has attributes. */
export function attributes(
  database: CatalogDatabase,
): Pick<
  EntityCatalog,
  'addAttribute' | 'attribute' | 'attributes' | 'changeAttribute' | 'removeAttribute'
> {
  return {
    addAttribute: (entityType, settings, by) =>
      database.write((transaction) => add(database, transaction, entityType, settings, by)),
    attribute: (entityType, name) => database.read((db) => findAttribute(db, entityType, name)),
    attributes: (entityType) =>
      database.read(async (db) => {
        await findType(db, entityType);
        return attributesOf(db, entityType);
      }),
    changeAttribute: (entityType, name, change, lockVersion, { principal, now }) =>
      database.write(async (transaction) => {
        await lockType(database, transaction, entityType);
        const before = await findAttribute(transaction, entityType, name);
        const place = `${entityType}.${name}`;
        if (before.lockVersion !== lockVersion)
          throw new EditConflict(`Attribute ${place}`, lockVersion, before.lockVersion);
        const after = { ...before, ...change };
        checkSettings(place, after, computedProblem(after));
        await transaction
          .updateTable('attributes')
          .set({
            ...changeable(after),
            lock_version: lockVersion + 1,
            updated_by: plainText(principal),
            updated_at: now,
          })
          .where('id', '=', before.id)
          .execute();
        return findAttribute(transaction, entityType, name);
      }),
    removeAttribute: (entityType, name) =>
      database.write((transaction) => remove(database, transaction, entityType, name)),
  };
}

async function add(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  entityType: string,
  settings: AttributeSettings & { readonly name: string },
  { principal, now }: Author,
): Promise<Attribute> {
  const { id } = await lockType(database, transaction, entityType);
  const { name, dataType, relatedType } = settings;
  const place = `${entityType}.${name}`;
  checkSettings(place, settings, attributeNameProblem(name));
  const known = await attributesOf(transaction, entityType);
  if (known.some((attribute) => attribute.name === name))
    throw new NameTaken(`attribute of ${entityType}`, name);
  if (known.length >= MAX_ATTRIBUTES) {
    const message = `${entityType} has ${String(known.length)} attributes already, which is the most.`;
    throw new InvalidSettings(place, [{ path: 'name', message }]);
  }
  const related = relatedType === null ? null : await findType(transaction, relatedType);
  await transaction
    .insertInto('attributes')
    .values({
      id: ulid(now.getTime()),
      entity_type_id: id,
      name,
      data_type: dataType,
      related_entity_type_id: related?.id ?? null,
      ...changeable(settings),
      updated_by: plainText(principal),
      created_at: now,
      updated_at: now,
    })
    .execute();
  return findAttribute(transaction, entityType, name);
}

async function remove(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  entityType: string,
  name: string,
): Promise<void> {
  await lockType(database, transaction, entityType);
  const { id, pipelineId } = await findAttribute(transaction, entityType, name);
  const what = `Attribute ${entityType}.${name}`;
  if (pipelineId !== null)
    throw new InUse(what, 'a pipeline computes it. Remove the pipeline first.');
  const reader = await transaction
    .selectFrom('pipeline_inputs')
    .innerJoin('pipelines', 'pipelines.id', 'pipeline_inputs.pipeline_id')
    .innerJoin('attributes', 'attributes.id', 'pipelines.attribute_id')
    .select('attributes.name')
    .where('pipeline_inputs.attribute_id', '=', id)
    .executeTakeFirst();
  if (reader !== undefined)
    throw new InUse(
      what,
      `the pipeline of ${reader.name} reads it. Take it out of that pipeline's sources first.`,
    );
  await transaction.deleteFrom('attributes').where('id', '=', id).execute();
}

/** What may be changed of an attribute that has values. */
function changeable(settings: AttributeSettings) {
  const { label, description, allowedValues, editable, needsApproval, isSync } = settings;
  return {
    label: optionalText(label),
    description: optionalText(description),
    allowed_values: allowedValues === null ? null : writeJson(allowedValues),
    editable,
    needs_approval: needsApproval,
    is_sync: isSync,
  };
}

/** @throws {@link InvalidSettings} */
function checkSettings(place: string, settings: AttributeSettings, more: string | undefined): void {
  const problems = [
    ...(more === undefined ? [] : [{ path: 'name', message: more }]),
    ...settingsProblems(settings),
  ];
  if (problems.length > 0) throw new InvalidSettings(place, problems);
}

/** A pipeline would write over what people or another system write. */
function computedProblem({ pipelineId, editable, isSync }: Attribute): string | undefined {
  if (pipelineId === null) return undefined;
  if (editable !== 'yes' && isSync !== 'from_external' && isSync !== 'bidirectional')
    return undefined;
  return 'A pipeline computes it: editable is no or overridable, and is_sync no or to_external.';
}

function selectAttributes(db: Kysely<Tables> | Transaction<Tables>) {
  return db
    .selectFrom('attributes')
    .innerJoin('entity_types', 'entity_types.id', 'attributes.entity_type_id')
    .leftJoin('entity_types as related', 'related.id', 'attributes.related_entity_type_id')
    .selectAll('attributes')
    .select(['entity_types.name as entity_type', 'related.name as related_type']);
}

/** All attributes of a type, in the order of their names. */
export async function attributesOf(
  db: Kysely<Tables>,
  entityType: string,
): Promise<readonly Attribute[]> {
  const rows = await selectAttributes(db)
    .where('entity_types.name', '=', entityType)
    .orderBy('attributes.name')
    .execute();
  return rows.map(attributeOf);
}

/** @throws {@link NotFound} */
export async function findAttribute(
  db: Kysely<Tables>,
  entityType: string,
  name: string,
): Promise<Attribute> {
  await findType(db, entityType);
  const row = await selectAttributes(db)
    .where('entity_types.name', '=', entityType)
    .where('attributes.name', '=', name)
    .executeTakeFirst();
  if (row === undefined) throw new NotFound(`attribute of ${entityType}`, name);
  return attributeOf(row);
}

function attributeOf(
  row: Selectable<AttributesTable> & {
    readonly entity_type: string;
    readonly related_type: string | null;
  },
): Attribute {
  return {
    id: row.id,
    entityType: row.entity_type,
    name: row.name,
    label: row.label,
    description: row.description,
    dataType: row.data_type,
    // Only texts are written to the column.
    allowedValues:
      row.allowed_values === null ? null : (JSON.parse(row.allowed_values) as readonly string[]),
    relatedType: row.related_type,
    editable: row.editable,
    needsApproval: row.needs_approval,
    isSync: row.is_sync,
    pipelineId: row.pipeline_id,
    lockVersion: row.lock_version,
    updatedBy: row.updated_by,
    createdAt: readTime(row.created_at),
    updatedAt: readTime(row.updated_at),
  };
}
