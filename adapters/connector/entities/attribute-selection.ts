import type { Attribute } from '../../../src/attribute-pipeline/attribute.js';
import { NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import type { EntityCatalog } from '../../../src/attribute-pipeline/entity-catalog.js';
import { suggestion } from '../../../src/definition/suggestion.js';
import { permanent } from '../../../src/pipeline/permanent.js';

/**
 * Attributes of a type, by their names; all unless names are given.
 *
 * @throws a permanent error of type `UnknownEntityType` or `UnknownAttribute`
 */
export async function attributesNamed(
  catalog: EntityCatalog,
  entityType: string,
  names: readonly string[] | undefined,
): Promise<readonly Attribute[]> {
  const known = await attributesOfType(catalog, entityType);
  if (names === undefined) return known;
  return names.map((name) => {
    const attribute = known.find((one) => one.name === name);
    if (attribute !== undefined) return attribute;
    const all = known.map((one) => one.name);
    throw permanent(
      `There is no attribute "${name}" of ${entityType}.${suggestion(name, all)}`,
      { entityType, attribute: name },
      'UnknownAttribute',
    );
  });
}

async function attributesOfType(
  catalog: EntityCatalog,
  entityType: string,
): Promise<readonly Attribute[]> {
  try {
    return await catalog.attributes(entityType);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw permanent(
      `There is no entity type "${entityType}". Add it by POST /entity_types, or by \`millrace attributes apply\`.`,
      { entityType },
      'UnknownEntityType',
    );
  }
}
