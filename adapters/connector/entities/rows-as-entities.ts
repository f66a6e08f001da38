import type { Attribute } from '../../../src/attribute-pipeline/attribute.js';
import type { EntityCatalog, EntityInput } from '../../../src/attribute-pipeline/entity-catalog.js';
import { valueOfText } from '../../../src/attribute-pipeline/written-value.js';
import type { Row } from '../../../src/data-flow/row.js';
import { suggestion } from '../../../src/definition/suggestion.js';
import type { Json } from '../../../src/definition/json.js';

/** Which columns of a row are what. */
export interface EntityColumns {
  readonly key: string;
  readonly label?: string | undefined;
  readonly removed?: string | undefined;
  /** The columns that are values; all others, unless given. */
  readonly attributes?: readonly string[] | undefined;
}

/** A row as an entity. */
export interface RowEntity {
  readonly input: EntityInput & { readonly key: string };
  readonly isRemoved: boolean;
}

/** Ids of entities by their keys, for each attribute whose values are entities. */
export type RelatedIds = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Why a row cannot be an entity. */
export class RowRefusal extends Error {}

/** Makes entities of rows. Values of `belongs_to` are keys in rows, as they are in the database that the rows come from. */
export class RowsAsEntities {
  readonly #attributes: ReadonlyMap<string, Attribute>;

  constructor(
    private readonly catalog: EntityCatalog,
    attributes: readonly Attribute[],
    private readonly columns: EntityColumns,
  ) {
    this.#attributes = new Map(attributes.map((one) => [one.name, one]));
  }

  /** Looks up the entities that rows belong to, with one query for each attribute. */
  async relatedIds(rows: readonly Row[]): Promise<RelatedIds> {
    const found = new Map<string, ReadonlyMap<string, string>>();
    for (const attribute of this.#attributes.values()) {
      const { name, relatedType } = attribute;
      if (relatedType === null) continue;
      const keys = rows.flatMap((row) => keysIn(row[name], attribute));
      found.set(name, await this.catalog.idsByKey(relatedType, [...new Set(keys)]));
    }
    return found;
  }

  /** @throws {@link RowRefusal} */
  entity(row: Row, related: RelatedIds): RowEntity {
    const { key: keyColumn, label: labelColumn, removed } = this.columns;
    const key = textOf(row[keyColumn]);
    if (key === undefined)
      throw new RowRefusal(`There is nothing in the column "${keyColumn}", which is the key.`);
    const isRemoved = removed !== undefined && isSet(row[removed]);
    const label = labelColumn === undefined ? undefined : textOf(row[labelColumn]);
    const values = isRemoved ? {} : this.#values(row, related);
    return { input: { key, values, ...(label !== undefined && { label }) }, isRemoved };
  }

  #values(row: Row, related: RelatedIds): Readonly<Record<string, Json>> {
    const { key, label, removed, attributes } = this.columns;
    const values: Record<string, Json> = {};
    for (const [name, value] of Object.entries(row)) {
      const attribute = this.#attributes.get(name);
      if (attribute === undefined) {
        const isLeftOut = attributes !== undefined || [key, label, removed].includes(name);
        if (isLeftOut) continue;
        const known = [...this.#attributes.keys()];
        throw new RowRefusal(
          `There is no attribute "${name}".${suggestion(name, known)} Name those columns that are values by \`attributes\`.`,
        );
      }
      const json = jsonOf(value, attribute);
      if (json === undefined) continue;
      values[name] = attribute.relatedType === null ? json : idsOf(json, attribute, related);
    }
    return values;
  }
}

/** A value as databases, files and APIs have it, as one of an attribute. undefined: there is none, not even null. */
function jsonOf(value: unknown, { name, dataType }: Attribute): Json | undefined {
  switch (typeof value) {
    case 'undefined':
      return undefined;
    case 'string':
      // An empty field of a file is none, unless it can be a text.
      if (value === '' && dataType !== 'text' && dataType !== 'html') return null;
      return valueOfText(value, dataType);
    case 'number':
      // SQLite has no booleans of its own.
      return dataType === 'boolean' && (value === 0 || value === 1) ? value === 1 : value;
    case 'boolean':
      return value;
    case 'bigint':
      return valueOfText(String(value), dataType);
    case 'object':
      if (value === null) return null;
      return value instanceof Date ? value.toISOString() : jsonCopy(value, name);
    default:
      throw new RowRefusal(`${name} is a ${typeof value}, which JSON does not have.`);
  }
}

function jsonCopy(value: object, name: string): Json {
  if (value instanceof Uint8Array)
    throw new RowRefusal(`${name} is made of bytes, which JSON does not have.`);
  // What JSON.stringify makes of an object is JSON.
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** A value that cannot be read names none: its row is refused when it is read. */
function keysIn(value: unknown, attribute: Attribute): readonly string[] {
  try {
    return keysOf(jsonOf(value, attribute));
  } catch (error) {
    if (error instanceof RowRefusal) return [];
    throw error;
  }
}

function keysOf(value: Json | undefined): readonly string[] {
  const all = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return all.flatMap((one) => textOf(one) ?? []);
}

function idsOf(value: Json, { name, relatedType }: Attribute, related: RelatedIds): Json {
  if (value === null) return null;
  const ids = keysOf(value).map((key) => {
    const id = related.get(name)?.get(key);
    if (id !== undefined) return id;
    throw new RowRefusal(
      `${name}: there is no ${relatedType ?? 'entity'} ${JSON.stringify(key)}. Import it first.`,
    );
  });
  return Array.isArray(value) ? ids : (ids[0] ?? null);
}

/** A key or a label: numbers and texts of databases. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

function isSet(value: unknown): boolean {
  const none: readonly unknown[] = [undefined, null, false, 0, 0n, '', '0', 'false', 'f'];
  return !none.includes(value);
}
