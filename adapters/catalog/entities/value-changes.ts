import type { Kysely, Transaction } from 'kysely';
import { valueProblem, type Attribute } from '../../../src/attribute-pipeline/attribute.js';
import {
  EditConflict,
  InvalidValues,
  NotFound,
  type ValueProblem,
} from '../../../src/attribute-pipeline/catalog-errors.js';
import type {
  Author,
  EntityCatalog,
  ValuePlace,
} from '../../../src/attribute-pipeline/entity-catalog.js';
import {
  changedValue,
  NO_VALUE,
  type AttributeValue,
  type ValueChange,
} from '../../../src/attribute-pipeline/value.js';
import { addHistory, upsertValues, type HistoryRow, type ValueRow } from '../value-rows.js';
import { inParts, notePipelines } from '../attribute-pipelines/pending-changes.js';
import type { CatalogDatabase } from '../database.js';
import { attributeValue, eavRow } from '../eav-rows.js';
import type { Tables } from '../tables.js';
import { attributesOf } from './attributes.js';
import { relatedProblems, type WantedValue } from './related-entities.js';

/** What a person does to a value. */
export type HandChange = Exclude<ValueChange, { readonly kind: 'computed' }>;

/** A change of one value. */
export interface PlannedChange {
  readonly entityId: string;
  readonly attribute: Attribute;
  readonly change: HandChange;
}

/** What somebody does to values, and which version of them they have looked at. */
interface HandChanges {
  readonly change: HandChange;
  readonly version: number | undefined;
  readonly by: Author;
}

/** The part of the port that changes values by hand. */
export function valueChanges(
  database: CatalogDatabase,
): Pick<EntityCatalog, 'changeValue' | 'changeValues'> {
  const several = (
    given: InvalidValues['given'],
    places: readonly ValuePlace[],
    { change, version, by }: HandChanges,
  ): Promise<readonly AttributeValue[]> =>
    database.write(async (transaction) => {
      const planned = await plan(transaction, places, change);
      const before = await lockValues(database, transaction, planned);
      const problems = planned.flatMap((one, index): readonly ValueProblem[] => {
        const known = before.get(keyOf(one)) ?? NO_VALUE;
        if (version !== undefined && version !== known.version)
          throw new EditConflict(
            `${one.attribute.name} of entity ${one.entityId}`,
            version,
            known.version,
          );
        const message = changeProblem(one, known);
        const { name: attribute } = one.attribute;
        return message === undefined ? [] : [{ index, entity: one.entityId, attribute, message }];
      });
      const all = [...problems, ...(await relatedProblems(transaction, wantedValues(planned)))];
      if (all.length > 0) throw new InvalidValues(all, given);
      return applyChanges(database, transaction, planned, before, by);
    });
  return {
    changeValue: async (place, change, version, by) =>
      (await several('value', [place], { change, version, by }))[0] ?? NO_VALUE,
    changeValues: (places, kind, by) =>
      several('values', distinct(places), { change: { kind }, version: undefined, by }),
  };
}

function wantedValues(planned: readonly PlannedChange[]): readonly WantedValue[] {
  return planned.flatMap(({ attribute, entityId: entity, change }, index) =>
    change.kind === 'edited' || change.kind === 'overridden'
      ? [{ attribute, value: change.value, of: { index, entity } }]
      : [],
  );
}

function distinct(places: readonly ValuePlace[]): readonly ValuePlace[] {
  return [
    ...new Map(places.map((place) => [`${place.entityId} ${place.attribute}`, place])).values(),
  ];
}

/** @throws {@link NotFound} for entities and attributes */
async function plan(
  db: Kysely<Tables>,
  places: readonly ValuePlace[],
  change: HandChange,
): Promise<readonly PlannedChange[]> {
  const types = new Map<string, string>();
  for (const part of inParts([...new Set(places.map(({ entityId }) => entityId))])) {
    const rows = await db
      .selectFrom('entities')
      .innerJoin('entity_types', 'entity_types.id', 'entities.entity_type_id')
      .select(['entities.id', 'entity_types.name'])
      .where('entities.id', 'in', part)
      .execute();
    for (const { id, name } of rows) types.set(id, name);
  }
  const known = new Map<string, readonly Attribute[]>();
  for (const type of new Set(types.values())) known.set(type, await attributesOf(db, type));
  return places.map(({ entityId, attribute: name }) => {
    const type = types.get(entityId);
    if (type === undefined) throw new NotFound('entity', entityId);
    const attribute = known.get(type)?.find((one) => one.name === name);
    if (attribute === undefined) throw new NotFound(`attribute of ${type}`, name);
    return { entityId, attribute, change };
  });
}

/** Why somebody cannot do it, as a sentence; undefined when they can. */
function changeProblem(
  { attribute, change }: PlannedChange,
  before: AttributeValue,
): string | undefined {
  const { name, editable, isSync } = attribute;
  switch (change.kind) {
    case 'edited':
      return editProblem(attribute, false) ?? valueProblem(attribute, change.value);
    case 'overridden':
      if (editable !== 'overridable')
        return `${name} cannot be overridden: editable is ${editable}, not overridable.`;
      return valueProblem(attribute, change.value);
    case 'override_removed':
      return before.override === undefined ? `${name} has no override.` : undefined;
    case 'approved':
      return before.current === undefined && before.override === undefined
        ? `${name} has no value that could be approved.`
        : undefined;
    case 'published':
      if (isSync !== 'to_external' && isSync !== 'bidirectional')
        return `${name} is not exported: is_sync is ${isSync}.`;
      return before.approved === undefined ? `${name} has no approved value.` : undefined;
  }
}

/** Why values of an attribute cannot be written, as a sentence; undefined when they can. */
export function editProblem(
  { name, pipelineId, editable, isSync }: Attribute,
  isImport: boolean,
): string | undefined {
  const hint = editable === 'overridable' ? ' Override it instead.' : '';
  if (pipelineId !== null) return `${name} is computed by a pipeline, and not edited.${hint}`;
  if (editable === 'yes') return undefined;
  if (isImport && (isSync === 'from_external' || isSync === 'bidirectional')) return undefined;
  return isImport && editable === 'overridable'
    ? undefined
    : `${name} cannot be edited: editable is ${editable}.${hint}`;
}

/** Where a value is, as one text. */
export function keyOf({
  entityId,
  attribute,
}: Pick<PlannedChange, 'entityId' | 'attribute'>): string {
  return `${entityId} ${attribute.id}`;
}

/** What there is of the values that are to be changed, locked until the transaction ends. */
export async function lockValues(
  { locksRows }: CatalogDatabase,
  transaction: Transaction<Tables>,
  planned: readonly PlannedChange[],
): Promise<ReadonlyMap<string, AttributeValue>> {
  const found = new Map<string, AttributeValue>();
  const attributeIds = [...new Set(planned.map(({ attribute }) => attribute.id))];
  const entityIds = [...new Set(planned.map(({ entityId }) => entityId))].sort();
  for (const part of inParts(entityIds)) {
    const rows = await transaction
      .selectFrom('eav_versioned')
      .selectAll()
      .where('entity_id', 'in', part)
      .where('attribute_id', 'in', attributeIds)
      // In one order, so that two who change the same values do not wait for each other in a circle.
      .orderBy('entity_id')
      .orderBy('attribute_id')
      .$if(locksRows, (query) => query.forUpdate())
      .execute();
    for (const row of rows) found.set(`${row.entity_id} ${row.attribute_id}`, attributeValue(row));
  }
  return found;
}

/** Makes changes that were found to be right. @returns the values after them, in their order */
export async function applyChanges(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  planned: readonly PlannedChange[],
  before: ReadonlyMap<string, AttributeValue>,
  { principal, now }: Author,
): Promise<readonly AttributeValue[]> {
  const rows: ValueRow[] = [];
  const history: HistoryRow[] = [];
  const changed = new Map<string, string[]>();
  const after = planned.map((one) => {
    const { entityId, attribute, change } = one;
    const known = before.get(keyOf(one)) ?? NO_VALUE;
    const value = changedValue(known, attribute, change);
    if (value === known) return value;
    const row = eavRow(entityId, attribute.id, value);
    rows.push(row);
    history.push({
      entity_id: entityId,
      attribute_id: attribute.id,
      version: value.version,
      change: change.kind,
      value: setBy(change, row),
    });
    changed.set(attribute.id, [...(changed.get(attribute.id) ?? []), entityId]);
    return value;
  });
  await upsertValues(database, transaction, rows, now);
  await addHistory(database, transaction, history, { principal, now });
  for (const [attributeId, entityIds] of changed)
    await notePipelines(database, transaction, attributeId, entityIds, { principal, now });
  return after;
}

/** What a change has set. */
function setBy({ kind }: HandChange, row: ReturnType<typeof eavRow>): string | null {
  switch (kind) {
    case 'edited':
      return row.value_current ?? null;
    case 'overridden':
      return row.value_override ?? null;
    case 'override_removed':
      return null;
    case 'approved':
      return row.value_approved ?? null;
    case 'published':
      return row.value_live ?? null;
  }
}
