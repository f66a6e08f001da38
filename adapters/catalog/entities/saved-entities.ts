import { sql, type Transaction } from 'kysely';
import { monotonicFactory } from 'ulid';
import { valueProblem, type Attribute } from '../../../src/attribute-pipeline/attribute.js';
import {
  InvalidValues,
  type ValueProblem,
} from '../../../src/attribute-pipeline/catalog-errors.js';
import type {
  Author,
  EntityCatalog,
  EntityInput,
  SavedEntity,
} from '../../../src/attribute-pipeline/entity-catalog.js';
import { NO_VALUE } from '../../../src/attribute-pipeline/value.js';
import type { Json } from '../../../src/definition/json.js';
import { inParts } from '../attribute-pipelines/pending-changes.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { optionalText, plainText } from '../values.js';
import { attributesOf } from './attributes.js';
import { findType } from './entity-types.js';
import { relatedProblems, type WantedValue } from './related-entities.js';
import {
  applyChanges,
  editProblem,
  keyOf,
  lockValues,
  type HandChange,
  type PlannedChange,
} from './value-changes.js';

/** Most entities that are saved at once, and most of an import, which is no one's request. */
const MAX_SAVED = 1_000;
const MAX_IMPORTED = 10_000;

/** Most characters of a key or a label. */
const MAX_TEXT = 500;

/** The part of the port that saves entities. */
export function savedEntities(database: CatalogDatabase): Pick<EntityCatalog, 'saveEntities'> {
  return {
    saveEntities: (entityType, inputs, by) =>
      database.write(async (transaction) => {
        const type = await findType(transaction, entityType);
        const known = await attributesOf(transaction, entityType);
        const problems = inputProblems(inputs, known, by.isImport === true);
        if (problems.length > 0) throw new InvalidValues(problems);
        const unknown = await relatedProblems(transaction, wantedValues(inputs, known));
        if (unknown.length > 0) throw new InvalidValues(unknown);
        const ids = await writeEntities(transaction, type.id, inputs, by);
        await noteNew(database, transaction, type.id, ids, by);
        return writeValues(database, transaction, { inputs, known, ids, by });
      }),
  };
}

/** All that is wrong with what is to be saved, as far as it can be told without looking at other entities. */
function inputProblems(
  inputs: readonly EntityInput[],
  known: readonly Attribute[],
  isImport: boolean,
): readonly ValueProblem[] {
  const most = isImport ? MAX_IMPORTED : MAX_SAVED;
  if (inputs.length > most)
    return [
      {
        index: most,
        entity: null,
        attribute: null,
        message: `At most ${String(most)} entities are saved at once; there are ${String(inputs.length)}. Save them in parts.`,
      },
    ];
  const byName = new Map(known.map((attribute) => [attribute.name, attribute]));
  const keys = new Map<string, number>();
  return inputs.flatMap(({ key, label, values }, index) => {
    const at = (attribute: string | null, message: string): ValueProblem => ({
      index,
      entity: key,
      attribute,
      message,
    });
    const problems = Object.entries(values).flatMap(([name, value]) => {
      const attribute = byName.get(name);
      if (attribute === undefined) return [at(name, `There is no attribute "${name}".`)];
      const message = editProblem(attribute, isImport) ?? valueProblem(attribute, value);
      return message === undefined ? [] : [at(name, message)];
    });
    for (const [what, text] of Object.entries({ key, label: label ?? null }))
      if (text !== null && (text.trim() === '' || text.length > MAX_TEXT))
        problems.push(at(null, `A ${what} has 1 to ${String(MAX_TEXT)} characters.`));
    const first = key === null ? undefined : keys.get(key);
    if (key !== null && first !== undefined)
      problems.push(
        at(null, `The key ${JSON.stringify(key)} is that of entity ${String(first)}, too.`),
      );
    else if (key !== null) keys.set(key, index);
    return problems;
  });
}

function wantedValues(
  inputs: readonly EntityInput[],
  known: readonly Attribute[],
): readonly WantedValue[] {
  return inputs.flatMap(({ key, values }, index) =>
    known.flatMap((attribute): readonly WantedValue[] => {
      const value = values[attribute.name];
      return value === undefined ? [] : [{ attribute, value, of: { index, entity: key } }];
    }),
  );
}

/** The ids of entities, and whether they were there before, in the order of the inputs. */
type Ids = readonly { readonly id: string; readonly isNew: boolean }[];

/** Those with a key that is there are found by it, also when somebody else adds them at the same time. */
async function writeEntities(
  transaction: Transaction<Tables>,
  entityTypeId: string,
  inputs: readonly EntityInput[],
  { now }: Author,
): Promise<Ids> {
  // Lists have them in the order in which they were given.
  const nextId = monotonicFactory();
  const rows = inputs.map(({ key, label }) => ({
    id: nextId(now.getTime()),
    entity_type_id: entityTypeId,
    key: optionalText(key),
    label: optionalText(label),
    created_at: now,
    updated_at: now,
  }));
  const ids = new Map<string, string>();
  // In the order of their keys, so that two who save the same ones do not wait for each other in a circle.
  const sorted = [...rows].sort((one, other) => ((one.key ?? '') < (other.key ?? '') ? -1 : 1));
  for (const part of inParts(sorted)) {
    const written = await transaction
      .insertInto('entities')
      .values(part)
      .onConflict((conflict) =>
        conflict.columns(['entity_type_id', 'key']).doUpdateSet((eb) => ({
          label: sql<
            string | null
          >`coalesce(${eb.ref('excluded.label')}, ${eb.ref('entities.label')})`,
          updated_at: eb.ref('excluded.updated_at'),
        })),
      )
      .returning(['id', 'key'])
      .execute();
    for (const { id, key } of written) if (key !== null) ids.set(key, id);
  }
  return rows.map(({ id, key }) => {
    const known = key === null ? id : (ids.get(key) ?? id);
    return { id: known, isNew: known === id };
  });
}

/** A new entity is one that every pipeline of its type has to look at. */
async function noteNew(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  entityTypeId: string,
  ids: Ids,
  { principal, now }: Author,
): Promise<void> {
  const pipelines = await transaction
    .selectFrom('pipelines')
    .select('id')
    .where('entity_type_id', '=', entityTypeId)
    .execute();
  const rows = ids.flatMap(({ id, isNew }) =>
    isNew
      ? pipelines.map((pipeline) => ({
          pipeline_id: pipeline.id,
          entity_id: id,
          cause: 'entity' as const,
          principal: plainText(principal),
          at: now,
        }))
      : [],
  );
  for (const part of inParts(rows))
    await transaction.insertInto('pipeline_changes').values(part).execute();
}

/** What comes from the system that an attribute is exported to need not be exported. */
function editOf({ isSync }: Attribute, value: Json, isImport: boolean): HandChange {
  return { kind: 'edited', value, isLive: isImport && isSync === 'bidirectional' };
}

async function writeValues(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  {
    inputs,
    known,
    ids,
    by,
  }: {
    readonly inputs: readonly EntityInput[];
    readonly known: readonly Attribute[];
    readonly ids: Ids;
    readonly by: Author & { readonly isImport?: boolean };
  },
): Promise<readonly SavedEntity[]> {
  const byName = new Map(known.map((attribute) => [attribute.name, attribute]));
  const planned = inputs.flatMap(({ values }, index) =>
    Object.entries(values).flatMap(([name, value]): readonly PlannedChange[] => {
      const attribute = byName.get(name);
      const entityId = ids[index]?.id;
      return attribute === undefined || entityId === undefined
        ? []
        : [{ entityId, attribute, change: editOf(attribute, value, by.isImport === true) }];
    }),
  );
  const before = await lockValues(database, transaction, planned);
  const after = await applyChanges(database, transaction, planned, before, by);
  const changed = new Map<string, string[]>();
  for (const [at, one] of planned.entries())
    if (after[at] !== (before.get(keyOf(one)) ?? NO_VALUE))
      changed.set(one.entityId, [...(changed.get(one.entityId) ?? []), one.attribute.name]);
  return ids.map(({ id, isNew }) => ({ id, isNew, changed: changed.get(id) ?? [] }));
}
