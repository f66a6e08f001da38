import type { Json } from '../definition/json.js';

/** What kinds of values attributes have. */
export const DATA_TYPES = [
  'integer',
  'number',
  'boolean',
  'text',
  'html',
  'json',
  'select',
  'multiselect',
  'belongs_to',
  'belongs_to_multi',
] as const;

export type DataType = (typeof DATA_TYPES)[number];

/** Who may write an attribute by hand; `overridable`: what was computed or fetched stays, beneath an override. */
export const EDITABLE = ['yes', 'no', 'overridable'] as const;

export type Editable = (typeof EDITABLE)[number];

/** Which values somebody has to approve. */
export const NEEDS_APPROVAL = ['yes', 'no', 'only_low_confidence'] as const;

export type NeedsApproval = (typeof NEEDS_APPROVAL)[number];

/** Whether another system has the attribute, too, and which of both follows the other. */
export const IS_SYNC = ['no', 'from_external', 'to_external', 'bidirectional'] as const;

export type IsSync = (typeof IS_SYNC)[number];

/** A kind of entities: `product`, `company`. */
export interface EntityType {
  readonly id: string;
  /** Letters, digits and underscores; part of URLs and of the names of pipelines. */
  readonly name: string;
  readonly label: string | null;
  readonly description: string | null;
  /** Counts edits: an edit names the one that it was made from. */
  readonly lockVersion: number;
  /** Who has edited it last. */
  readonly updatedBy: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What somebody says of an attribute. */
export interface AttributeSettings {
  readonly label: string | null;
  readonly description: string | null;
  readonly dataType: DataType;
  /** Of `select` and `multiselect`. */
  readonly allowedValues: readonly string[] | null;
  /** Of `belongs_to` and `belongs_to_multi`: the name of the entity type that values are ids of. */
  readonly relatedType: string | null;
  readonly editable: Editable;
  readonly needsApproval: NeedsApproval;
  readonly isSync: IsSync;
}

/** An attribute of an entity type. */
export interface Attribute extends AttributeSettings {
  readonly id: string;
  readonly entityType: string;
  /** Letters, digits and underscores; unique within its entity type. */
  readonly name: string;
  /** The pipeline that computes it. */
  readonly pipelineId: string | null;
  readonly lockVersion: number;
  /** Who has edited it last. */
  readonly updatedBy: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What is assumed where somebody says nothing. */
export const ATTRIBUTE_DEFAULTS: AttributeSettings = {
  label: null,
  description: null,
  dataType: 'text',
  allowedValues: null,
  relatedType: null,
  editable: 'yes',
  needsApproval: 'no',
  isSync: 'no',
};

/** Most allowed values of an attribute, and most characters of one. */
export const MAX_ALLOWED_VALUES = 1_000;
export const MAX_ALLOWED_VALUE_CHARACTERS = 200;

const NAME = /^[a-z][a-z0-9_]{0,99}$/;

/** Why a name cannot be that of an entity type or an attribute, as a sentence; undefined when it can. */
export function attributeNameProblem(name: string): string | undefined {
  if (NAME.test(name) && !(name in Object.prototype)) return undefined;
  return `${JSON.stringify(name)} cannot be a name: one begins with a small letter, and has small letters, digits and "_", at most 100 of them.`;
}

/** What is wrong with an attribute, and where. */
export interface SettingsProblem {
  /** The setting, as the API names it. */
  readonly path: string;
  readonly message: string;
}

/** What cannot be together in one attribute. */
export function settingsProblems(settings: AttributeSettings): readonly SettingsProblem[] {
  const { dataType, relatedType, editable, isSync } = settings;
  const problems: SettingsProblem[] = [...allowedValuesProblems(settings)];
  const refers = dataType === 'belongs_to' || dataType === 'belongs_to_multi';
  if (refers && relatedType === null)
    problems.push({
      path: 'related_type',
      message: `An attribute of type ${dataType} needs related_type: the entity type that its values are ids of.`,
    });
  if (!refers && relatedType !== null)
    problems.push({
      path: 'related_type',
      message: `Only belongs_to and belongs_to_multi have a related_type, not ${dataType}.`,
    });
  if (isSync === 'from_external' && editable === 'yes')
    problems.push({
      path: 'editable',
      message:
        'What comes from another system (is_sync from_external) would replace what is edited here. Set editable to overridable, or is_sync to bidirectional.',
    });
  return problems;
}

function allowedValuesProblems({
  dataType,
  allowedValues,
}: AttributeSettings): readonly SettingsProblem[] {
  const path = 'allowed_values';
  const chooses = dataType === 'select' || dataType === 'multiselect';
  if (!chooses && allowedValues !== null)
    return [{ path, message: `Only select and multiselect have allowed_values, not ${dataType}.` }];
  if (!chooses) return [];
  if (allowedValues === null || allowedValues.length === 0)
    return [
      {
        path,
        message: `An attribute of type ${dataType} needs allowed_values: one or more texts.`,
      },
    ];
  if (allowedValues.length > MAX_ALLOWED_VALUES)
    return [
      {
        path,
        message: `There are ${String(allowedValues.length)} allowed values; the most are ${String(MAX_ALLOWED_VALUES)}. Make entities of them, and the attribute a belongs_to.`,
      },
    ];
  const twice = allowedValues.find((value, at) => allowedValues.indexOf(value) !== at);
  if (twice !== undefined) return [{ path, message: `${JSON.stringify(twice)} is there twice.` }];
  const unfit = allowedValues.find(
    (value) => value.trim() === '' || value.length > MAX_ALLOWED_VALUE_CHARACTERS,
  );
  return unfit === undefined
    ? []
    : [
        {
          path,
          message: `${JSON.stringify(unfit.slice(0, 40))} cannot be an allowed value: one has 1 to ${String(MAX_ALLOWED_VALUE_CHARACTERS)} characters.`,
        },
      ];
}

/** What kind of thing a value is, for messages. */
function kindOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

/**
 * Why a value cannot be one of an attribute, as a sentence; undefined when it can. null is a value of every attribute: it is known that
 * there is none.
 */
export function valueProblem(
  { name, dataType, allowedValues }: Pick<Attribute, 'name' | 'dataType' | 'allowedValues'>,
  value: Json,
): string | undefined {
  if (value === null) return undefined;
  if (hasUnkeepable(value))
    return `${name} has a character that no database keeps: NUL, or half of a surrogate pair.`;
  const isOf = (wanted: string): string =>
    `${name} is ${wanted}, and was given ${kindOf(value)}: ${JSON.stringify(value).slice(0, 80)}`;
  const allowed = allowedValues ?? [];
  const isAllowed = (one: Json): boolean => typeof one === 'string' && allowed.includes(one);
  switch (dataType) {
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : isOf('a whole number');
    case 'number':
      return typeof value === 'number' ? undefined : isOf('a number');
    case 'boolean':
      return typeof value === 'boolean' ? undefined : isOf('true or false');
    case 'text':
    case 'html':
    case 'belongs_to':
      return typeof value === 'string'
        ? undefined
        : isOf(dataType === 'belongs_to' ? 'the id of an entity' : 'a text');
    case 'json':
      return undefined;
    case 'select':
      return isAllowed(value) ? undefined : isOf(`one of ${allowed.join(', ')}`);
    case 'multiselect':
      return isListOf(value, isAllowed) ? undefined : isOf(`a list of ${allowed.join(', ')}`);
    case 'belongs_to_multi':
      return isListOf(value, (one) => typeof one === 'string')
        ? undefined
        : isOf('a list of ids of entities');
  }
}

/** Ids of the entities that a value of a `belongs_to` or `belongs_to_multi` names. */
export function namedEntities(value: Json): readonly string[] {
  return [value].flat().filter((id) => typeof id === 'string');
}

/** What is wrong with a value that names an entity which is not there. */
export function missingEntity(
  { name, relatedType }: Pick<Attribute, 'name' | 'relatedType'>,
  id: string,
): string {
  return `${name}: there is no ${relatedType ?? 'entity'} ${JSON.stringify(id)}.`;
}

const UNKEEPABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function hasUnkeepable(value: Json): boolean {
  if (typeof value === 'string') return UNKEEPABLE.test(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, member]: [string, Json]) => UNKEEPABLE.test(name) || hasUnkeepable(member),
  );
}

/** Each at most once. */
function isListOf(value: Json, isOne: (one: Json) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne) && new Set(value).size === value.length;
}
