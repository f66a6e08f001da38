import { sql, type RawBuilder, type SqlBool } from 'kysely';
import type { Attribute, DataType } from '../../../src/attribute-pipeline/attribute.js';
import { InvalidFilter } from '../../../src/attribute-pipeline/catalog-errors.js';
import {
  conditionProblem,
  MAX_CONDITIONS,
  type EntityFilter,
  type FilterCondition,
} from '../../../src/attribute-pipeline/entity-filter.js';
import type { Json } from '../../../src/definition/json.js';
import type { CatalogDatabase } from '../database.js';

/**
 * The conditions of a filter, for a query on `entities`.
 *
 * @param attributes - those of the entity type
 * @throws {@link InvalidFilter}
 */
export function filtered(
  { kind }: CatalogDatabase,
  filter: EntityFilter,
  attributes: readonly Attribute[],
): RawBuilder<SqlBool> {
  if (filter.length > MAX_CONDITIONS)
    throw new InvalidFilter(
      MAX_CONDITIONS,
      `A filter has at most ${String(MAX_CONDITIONS)} conditions; this one has ${String(filter.length)}.`,
    );
  const conditions = filter.map((condition, index) => {
    const attribute = attributes.find(({ name }) => name === condition.attribute);
    const problem = conditionProblem(condition, attribute);
    if (attribute === undefined || problem !== undefined)
      throw new InvalidFilter(index, problem ?? '');
    return holds(kind, condition, attribute, valueOf(attribute.id));
  });
  return conditions.length === 0
    ? sql<SqlBool>`1 = 1`
    : sql<SqlBool>`(${sql.join(conditions, sql` and `)})`;
}

type Kind = CatalogDatabase['kind'];
type Sql = RawBuilder<unknown>;

/** What an entity has of an attribute, an override before what is beneath: JSON, or NULL. */
function valueOf(attributeId: string): Sql {
  return sql`(select coalesce(v.value_override, v.value_current) from eav_versioned v where v.entity_id = entities.id and v.attribute_id = ${attributeId})`;
}

function holds(
  kind: Kind,
  { operator, value = null }: FilterCondition,
  { dataType }: Attribute,
  json: Sql,
): RawBuilder<SqlBool> {
  const plain = plainValue(kind, dataType, json);
  const given = (one: Json): Sql => parameter(kind, dataType, one);
  const list = (): Sql => sql.join((value as readonly Json[]).map(given));
  switch (operator) {
    case 'null':
      return sql<SqlBool>`${plain} is null`;
    case 'not_null':
      return sql<SqlBool>`${plain} is not null`;
    case 'in':
      return (value as readonly Json[]).length === 0
        ? sql<SqlBool>`1 = 0`
        : sql<SqlBool>`${plain} in (${list()})`;
    case 'not_in':
      return (value as readonly Json[]).length === 0
        ? sql<SqlBool>`1 = 1`
        : sql<SqlBool>`(${plain} is null or ${plain} not in (${list()}))`;
    case 'contains':
      return contains(kind, dataType, json, plain, value);
    case '!=':
      return sql<SqlBool>`${plain} is distinct from ${given(value)}`;
    default:
      return sql<SqlBool>`${plain} ${sql.raw(operator)} ${given(value)}`;
  }
}

/** A value as the database compares it. */
function plainValue(kind: Kind, dataType: DataType, json: Sql): Sql {
  if (kind === 'sqlite') return sql`json_extract(${json}, '$')`;
  const text = sql`(${json} #>> '{}')`;
  switch (dataType) {
    case 'integer':
    case 'number':
      return sql`${text}::double precision`;
    case 'boolean':
      return sql`${text}::boolean`;
    default:
      // By code points, as SQLite does, and not as the server's language orders words.
      return sql`${text} collate "C"`;
  }
}

function parameter(kind: Kind, dataType: DataType, value: Json): Sql {
  if (kind === 'sqlite') return sql`${value}`;
  switch (dataType) {
    case 'integer':
    case 'number':
      return sql`${value}::double precision`;
    case 'boolean':
      return sql`${value}::boolean`;
    default:
      return sql`${value}::text`;
  }
}

function contains(
  kind: Kind,
  dataType: DataType,
  json: Sql,
  plain: Sql,
  value: Json,
): RawBuilder<SqlBool> {
  const isList = dataType === 'multiselect' || dataType === 'belongs_to_multi';
  if (kind === 'sqlite')
    return isList
      ? sql<SqlBool>`exists (select 1 from json_each(${json}) as item where item.value = ${value})`
      : sql<SqlBool>`instr(${plain}, ${value}) > 0`;
  return isList
    ? sql<SqlBool>`exists (select 1 from (select ${json} as list) as of_entity, json_array_elements_text(case when json_typeof(of_entity.list) = 'array' then of_entity.list end) as item where item = ${value}::text)`
    : sql<SqlBool>`strpos(${plain}, ${value}::text) > 0`;
}
