import type { Kysely, Transaction } from 'kysely';
import {
  missingEntity,
  namedEntities,
  type Attribute,
} from '../../../src/attribute-pipeline/attribute.js';
import type { ValueProblem } from '../../../src/attribute-pipeline/catalog-errors.js';
import type { Json } from '../../../src/definition/json.js';
import { inParts } from '../attribute-pipelines/pending-changes.js';
import type { Tables } from '../tables.js';

/** A value that somebody wants an attribute to have. */
export interface WantedValue {
  readonly attribute: Attribute;
  readonly value: Json;
  /** Whose it is, for messages. */
  readonly of: Pick<ValueProblem, 'index' | 'entity'>;
}

/** Entities that others belong to have to be there, and of the right type. */
export async function relatedProblems(
  transaction: Transaction<Tables>,
  wanted: readonly WantedValue[],
): Promise<readonly ValueProblem[]> {
  const problems: ValueProblem[] = [];
  const attributes = new Set(wanted.map(({ attribute }) => attribute));
  for (const attribute of attributes) {
    const { name, relatedType } = attribute;
    if (relatedType === null) continue;
    const named = wanted.flatMap((one) =>
      one.attribute === attribute ? namedEntities(one.value).map((id) => ({ id, of: one.of })) : [],
    );
    const ids = [...new Set(named.map(({ id }) => id))];
    const missing = await missingIds(transaction, relatedType, ids);
    for (const { id, of } of named)
      if (missing.has(id))
        problems.push({ ...of, attribute: name, message: missingEntity(attribute, id) });
  }
  return problems;
}

/** Those of the ids that are no entities of the type. */
export async function missingIds(
  db: Kysely<Tables>,
  entityType: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const missing = new Set(ids);
  for (const part of inParts(ids)) {
    const rows = await db
      .selectFrom('entities')
      .innerJoin('entity_types', 'entity_types.id', 'entities.entity_type_id')
      .select('entities.id')
      .where('entity_types.name', '=', entityType)
      .where('entities.id', 'in', part)
      .execute();
    for (const { id } of rows) missing.delete(id);
  }
  return missing;
}
