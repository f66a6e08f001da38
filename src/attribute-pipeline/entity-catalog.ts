import type { Json, JsonObject } from '../definition/json.js';
import type { Attribute, AttributeSettings, EntityType } from './attribute.js';
import type { EntityFilter } from './entity-filter.js';
import type { AttributeValue, ValueChange, ValueChangeKind, ValueView } from './value.js';

/** Something that has attributes. */
export interface Entity {
  readonly id: string;
  readonly entityType: string;
  /** What it is called elsewhere, unique within its type: imports find it again by it. */
  readonly key: string | null;
  readonly label: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** An entity with what it has of its attributes, by their names; attributes that it has nothing of are not there. */
export interface EntityWithValues extends Entity {
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/** Who has done something. */
export interface Author {
  /** The authenticated principal, or what else has done it: `import`, `millrace`. */
  readonly principal: string;
  readonly now: Date;
}

/** Where a list goes on: what the last page has given, or nothing at its beginning. */
export interface PageRequest {
  readonly after?: string;
  readonly limit: number;
}

/** A part of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** What the next page is asked for by; absent at the end. */
  readonly next?: string;
}

/** An entity as it is to be. */
export interface EntityInput {
  /** With the key of one that is there, that one is meant. */
  readonly key: string | null;
  readonly label?: string | null;
  /** Values by the names of their attributes. Others stay as they are. */
  readonly values: JsonObject;
}

/** What has become of an entity that was saved. */
export interface SavedEntity {
  readonly id: string;
  readonly isNew: boolean;
  /** Names of the attributes that have another value now. */
  readonly changed: readonly string[];
}

/** A step in the life of a value. */
export interface ValueHistoryEntry {
  readonly version: number;
  readonly change: ValueChangeKind;
  /** What the change has set; what was approved or published; undefined for an override that was removed. */
  readonly value: Json | undefined;
  readonly justification: string | null;
  readonly confidence: number | null;
  readonly pipelineVersion: number | null;
  readonly inputs: Readonly<Record<string, number>> | null;
  readonly runId: string | null;
  readonly principal: string | null;
  readonly at: Date;
}

/** A value that somebody has to approve. */
export interface AwaitingValue {
  readonly entity: Entity;
  readonly attribute: string;
  readonly value: AttributeValue;
  readonly updatedAt: Date;
}

/** A value, by where it is. */
export interface ValuePlace {
  readonly entityId: string;
  /** Its name. */
  readonly attribute: string;
}

/** An entity that another system is to be told of. */
export interface UnpublishedEntity {
  readonly id: string;
  readonly key: string;
  /** What is approved, by the names of the attributes; without those of which nothing is. */
  readonly values: JsonObject;
}

/** A value that another system has been told of. */
export interface PublishedValue extends ValuePlace {
  readonly value: Json;
}

/** Which entities of a type. */
export interface EntitySelection extends PageRequest {
  readonly filter?: EntityFilter;
}

/**
 * Entities, their attributes and values. Names that are none, values that do not fit and edits of what was edited meanwhile are refused by
 * the errors in `catalog-errors.ts`; nothing of what is refused is kept.
 *
 * Whatever changes a value of an attribute that pipelines read, or adds an entity, puts the entity down for them, in the same transaction.
 */
export interface EntityCatalog {
  /** @throws {@link NameTaken}, {@link InvalidSettings} */
  addEntityType(
    type: Pick<EntityType, 'name' | 'label' | 'description'>,
    by: Author,
  ): Promise<EntityType>;
  /** @throws {@link NotFound} */
  entityType(name: string): Promise<EntityType>;
  /** In the order of their names. */
  entityTypes(page: PageRequest): Promise<Page<EntityType>>;
  /** @throws {@link NotFound}, {@link EditConflict} */
  changeEntityType(
    name: string,
    change: Partial<Pick<EntityType, 'label' | 'description'>>,
    lockVersion: number,
    by: Author,
  ): Promise<EntityType>;
  /** @throws {@link NotFound}, {@link InUse} while it has entities or attributes, or others belong to it */
  removeEntityType(name: string): Promise<void>;

  /** @throws {@link NotFound}, {@link NameTaken}, {@link InvalidSettings} */
  addAttribute(
    entityType: string,
    attribute: AttributeSettings & { readonly name: string },
    by: Author,
  ): Promise<Attribute>;
  /** @throws {@link NotFound} */
  attribute(entityType: string, name: string): Promise<Attribute>;
  /** All of a type, in the order of their names. @throws {@link NotFound} */
  attributes(entityType: string): Promise<readonly Attribute[]>;
  /** Its name, type of values and related type stay: values are kept by them. @throws {@link NotFound}, {@link InvalidSettings}, {@link EditConflict} */
  changeAttribute(
    entityType: string,
    name: string,
    change: Partial<Omit<AttributeSettings, 'dataType' | 'relatedType'>>,
    lockVersion: number,
    by: Author,
  ): Promise<Attribute>;
  /** With all of its values. @throws {@link NotFound}, {@link InUse} while a pipeline computes or reads it */
  removeAttribute(entityType: string, name: string): Promise<void>;

  /**
   * Adds entities, and changes those that are there, all or none. Values are edits: an attribute that a pipeline computes, or that is not
   * editable, is refused; `isImport` may write what comes from another system, too, and what it writes of attributes that are exported
   * counts as exported.
   *
   * @returns what has become of each, in the order of the inputs
   * @throws {@link NotFound} for a type, {@link InvalidValues} that names all that is wrong, of which entity
   */
  saveEntities(
    entityType: string,
    inputs: readonly EntityInput[],
    by: Author & { readonly isImport?: boolean },
  ): Promise<readonly SavedEntity[]>;
  /**
   * The ids of entities that are named by an id or by what people know: `airport.DEN`, the entity type and the key.
   *
   * @returns in the order of the names
   * @throws {@link NotFound}
   */
  entityIds(names: readonly string[]): Promise<readonly string[]>;
  /** The ids of a type's entities, by their keys; without those that are not there. */
  idsByKey(entityType: string, keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The types of entities, each once; ids that are not there have none. */
  typesOf(ids: readonly string[]): Promise<readonly string[]>;
  /** Those of the ids that are no entities of the type. */
  missingIds(entityType: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** The keys of entities, by their ids; without those that are not there or have none. */
  keysById(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** @throws {@link NotFound} */
  entity(id: string): Promise<EntityWithValues>;
  /** In the order of their ids. @throws {@link NotFound}, {@link InvalidFilter} */
  entities(entityType: string, selection: EntitySelection): Promise<Page<EntityWithValues>>;
  /** @throws {@link NotFound}, {@link InvalidFilter} */
  countEntities(entityType: string, filter?: EntityFilter): Promise<number>;
  /** With its values and their history. @throws {@link NotFound} */
  removeEntity(id: string): Promise<void>;
  /** Those of a type that are there, by their keys. @returns how many they were @throws {@link NotFound} for the type */
  removeEntities(entityType: string, keys: readonly string[]): Promise<number>;

  /**
   * Changes one value, by a person.
   *
   * @param version - the version of the value that the change was made from; undefined: whatever it is
   * @throws {@link NotFound}, {@link InvalidValues}, {@link EditConflict}
   */
  changeValue(
    place: ValuePlace,
    change: Exclude<ValueChange, { readonly kind: 'computed' }>,
    version: number | undefined,
    by: Author,
  ): Promise<AttributeValue>;
  /** Changes several in the same way, all or none. @throws as {@link changeValue} */
  changeValues(
    places: readonly ValuePlace[],
    kind: 'approved' | 'published' | 'override_removed',
    by: Author,
  ): Promise<readonly AttributeValue[]>;
  /**
   * Entities with a key of which another value is approved than was exported, with all that is approved of them, in the order of their ids.
   *
   * @param attributes - names of those that are looked at
   * @throws {@link NotFound} for a type or an attribute
   */
  unpublished(
    entityType: string,
    attributes: readonly string[],
    page: PageRequest,
  ): Promise<Page<UnpublishedEntity>>;
  /** Puts down what was exported. What was removed meanwhile is passed over. @throws {@link NotFound} for a type */
  publish(entityType: string, values: readonly PublishedValue[], by: Author): Promise<void>;
  /** Newest first; `after` is a version. @throws {@link NotFound} */
  history(place: ValuePlace, page: PageRequest): Promise<Page<ValueHistoryEntry>>;
  /** What waits for an approval, longest first. */
  awaitingApproval(
    of: { readonly entityType?: string; readonly attribute?: string },
    page: PageRequest,
  ): Promise<Page<AwaitingValue>>;
}

/** The view that filters look at where they say nothing. */
export const FILTER_VIEW: ValueView = 'with_override';
