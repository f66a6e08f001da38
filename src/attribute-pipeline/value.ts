import { canonicalJson, type Json, type JsonObject } from '../definition/json.js';
import type { Attribute } from './attribute.js';

/** From this confidence on nobody has to approve a value of an attribute with `only_low_confidence`. */
export const HIGH_CONFIDENCE = 0.8;

/** What an entity has of one attribute. Undefined values are none; null is known to be none. */
export interface AttributeValue {
  readonly current: Json | undefined;
  readonly approved: Json | undefined;
  /** What was exported. */
  readonly live: Json | undefined;
  readonly override: Json | undefined;
  /** Of what it was computed from, or passed over for since: SHA-256, 64 hexadecimal digits. */
  readonly inputHash: string | null;
  readonly justification: string | null;
  /** 0 to 1; null when it is unknown. */
  readonly confidence: number | null;
  readonly pipelineVersion: number | null;
  readonly meta: JsonObject | null;
  /** The versions of the values that it was computed from, by the names of their attributes. */
  readonly inputs: Readonly<Record<string, number>> | null;
  readonly runId: string | null;
  /** Counts changes of what is to be read here, from 1; 0 for one that there is none of yet. */
  readonly version: number;
  readonly awaitsApproval: boolean;
}

/** What of a value others are computed from, and whether it has to be computed anew. */
export type ReadValue = Pick<
  AttributeValue,
  'current' | 'approved' | 'live' | 'override' | 'inputHash' | 'version'
>;

/** Nothing yet. */
export const NO_VALUE: AttributeValue = {
  current: undefined,
  approved: undefined,
  live: undefined,
  override: undefined,
  inputHash: null,
  justification: null,
  confidence: null,
  pipelineVersion: null,
  meta: null,
  inputs: null,
  runId: null,
  version: 0,
  awaitsApproval: false,
};

/** Which of its values is looked at. */
export const VALUE_VIEWS = ['with_override', 'current', 'approved', 'live'] as const;

export type ValueView = (typeof VALUE_VIEWS)[number];

/** A value as a view has it; undefined where there is none. */
export function viewed(value: ReadValue, view: ValueView): Json | undefined {
  return view === 'with_override' ? effective(value) : value[view];
}

/** What counts: what a person has set over what was computed. */
function effective({ override, current }: ReadValue): Json | undefined {
  return override === undefined ? current : override;
}

/** What a run has found out. */
export interface ComputedValue {
  readonly value: Json;
  readonly confidence: number | null;
  readonly justification: string | null;
  readonly meta: JsonObject | null;
  readonly inputHash: string;
  readonly inputs: Readonly<Record<string, number>>;
  readonly pipelineVersion: number;
  readonly runId: string;
}

/** What can happen to a value. */
export type ValueChange =
  | { readonly kind: 'computed'; readonly result: ComputedValue }
  /** By a person, or an import; of what is not computed. With `isLive` it comes from the system that it is exported to. */
  | { readonly kind: 'edited'; readonly value: Json; readonly isLive?: boolean }
  | { readonly kind: 'overridden'; readonly value: Json }
  | { readonly kind: 'override_removed' }
  | { readonly kind: 'approved' }
  /** What was approved was exported, or this value, which was approved when it was. */
  | { readonly kind: 'published'; readonly value?: Json };

/** The names of what can happen to a value. */
export type ValueChangeKind = ValueChange['kind'];

/**
 * A value after a change. The same object where nothing of it changes.
 *
 * @param attribute - whose value it is: it says who has to approve
 */
export function changedValue(
  before: AttributeValue,
  attribute: Pick<Attribute, 'needsApproval'>,
  change: ValueChange,
): AttributeValue {
  switch (change.kind) {
    case 'computed': {
      const { value, confidence, justification, meta, inputHash, inputs, pipelineVersion, runId } =
        change.result;
      const isSure = confidence !== null && confidence >= HIGH_CONFIDENCE;
      const about = { confidence, justification, meta, inputHash, inputs, pipelineVersion, runId };
      return settled({ ...before, ...about, current: value }, before, approves(attribute, isSure));
    }
    case 'edited': {
      const live = change.isLive === true ? change.value : before.live;
      if (isSame(before.current, change.value))
        return isSame(before.live, live) ? before : settled({ ...before, live }, before, false);
      // A person's word needs nobody's computing.
      return settled(
        { ...before, live, current: change.value, justification: null, confidence: null },
        before,
        approves(attribute, true),
      );
    }
    case 'overridden':
      if (isSame(before.override, change.value)) return before;
      return settled({ ...before, override: change.value }, before, approves(attribute, true));
    case 'override_removed': {
      if (before.override === undefined) return before;
      const { confidence } = before;
      const isSure = confidence === null ? before.runId === null : confidence >= HIGH_CONFIDENCE;
      return settled({ ...before, override: undefined }, before, approves(attribute, isSure));
    }
    case 'approved':
      return settled(before, before, true);
    case 'published':
      return settled({ ...before, live: change.value ?? before.approved }, before, false);
  }
}

function approves({ needsApproval }: Pick<Attribute, 'needsApproval'>, isSure: boolean): boolean {
  return needsApproval === 'no' || (needsApproval === 'only_low_confidence' && isSure);
}

function settled(
  after: AttributeValue,
  before: AttributeValue,
  isApproved: boolean,
): AttributeValue {
  const approved = isApproved ? effective(after) : after.approved;
  const awaitsApproval = !isSame(approved, effective(after));
  const isAsBefore =
    isSame(after.current, before.current) &&
    isSame(approved, before.approved) &&
    isSame(after.live, before.live) &&
    isSame(after.override, before.override) &&
    after.justification === before.justification &&
    after.confidence === before.confidence;
  if (!isAsBefore) return { ...after, approved, awaitsApproval, version: before.version + 1 };
  // What it was computed from may be another, and what came out the same: whoever reads it need not know.
  return after.inputHash === before.inputHash && after.runId === before.runId ? before : after;
}

/** True for the same value, however its members are ordered. */
function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return one === other || canonicalJson(one) === canonicalJson(other);
}
