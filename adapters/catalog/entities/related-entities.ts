import type { Transaction } from 'kysely';
import type { Attribute } from '../../../src/attribute-pipeline/attribute.js';
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
      one.attribute === attribute
        ? [one.value]
            .flat()
            .filter((id) => typeof id === 'string')
            .map((id) => ({ id, of: one.of }))
        : [],
    );
    const ids = [...new Set(named.map(({ id }) => id))];
    const found = await existing(transaction, relatedType, ids);
    for (const { id, of } of named)
      if (!found.has(id))
        problems.push({
          ...of,
          attribute: name,
          message: `${name}: there is no ${relatedType} ${JSON.stringify(id)}.`,
        });
  }
  return problems;
}

async function existing(
  transaction: Transaction<Tables>,
  entityType: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const part of inParts(ids)) {
    const rows = await transaction
      .selectFrom('entities')
      .innerJoin('entity_types', 'entity_types.id', 'entities.entity_type_id')
      .select('entities.id')
      .where('entity_types.name', '=', entityType)
      .where('entities.id', 'in', part)
      .execute();
    for (const { id } of rows) found.add(id);
  }
  return found;
}
