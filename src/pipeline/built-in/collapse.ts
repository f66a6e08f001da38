import { z } from 'zod';
import { canonicalJson, ownMember, type Json, type JsonObject } from '../../definition/json.js';
import type { DerivedReturn } from '../context.js';
import { defineGenericOperation } from '../operation.js';
import { permanent } from '../permanent.js';
import {
  COLLAPSE_STRATEGIES,
  collapseValues,
  readType,
  resultType,
  type CollapseRule,
  type CollapseStrategy,
} from './collapse-strategy.js';
import { sparseType } from './property-type.js';

const name = z.string().min(1);

/** Strategies whose result is one of the values, so that a copy of a namespace carries it. */
const CARRYING = ['equal', 'first', 'last'] as const satisfies readonly CollapseStrategy[];

const rule = z.strictObject({
  strategy: z.enum(COLLAPSE_STRATEGIES),
  /** The property that gets the result; the values' own property is then gone. */
  as: name.optional(),
  /** Between texts, under `concat`. */
  separator: z.string().optional(),
});

const options = z
  .object({
    /** Property -> strategy, or `{ strategy, as, separator }`. */
    properties: z.record(name, z.union([z.enum(COLLAPSE_STRATEGIES), rule])).default({}),
    /** The strategy for every other property. */
    default: z.enum(CARRYING).default('equal'),
    /** Makes one namespace for each value of this property instead of one in all. */
    group_by: name.optional(),
  })
  .superRefine((given, context) => {
    for (const { path, message } of conflicts(given))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

type CollapseOptions = z.output<typeof options>;

interface Entry extends CollapseRule {
  readonly name: string;
  readonly target: string;
}

/**
 * Makes one namespace of several (or one for each value of `group_by`). Listed properties are put together by their
 * strategy, all others by `default`; see {@link COLLAPSE_STRATEGIES}. Without any namespace there is nothing to make
 * one of: `CollapseEmpty`, unless `group_by` is set, which then has no groups.
 *
 * Fails for good with `CollapseConflict` or `CollapseEmpty`.
 *
 * @example
 * ```yaml
 * - type: collapse
 *   options:
 *     properties:
 *       words: sum
 *       page: { strategy: collect, as: pages }
 *       summary: { strategy: concat, separator: "\n" }
 * ```
 */
export const collapse = defineGenericOperation({
  name: 'collapse',
  description: 'Makes one namespace of several.',
  options,
  changesCount: true,
  leaves: ({ group_by }) => (group_by === undefined ? 'one' : 'fewer'),
  quick: true,
  contract: ({ options: given, incoming }) => {
    const entries = entriesOf(given);
    const targets = entries.map(({ target }) => target);
    const read = (property: string): z.ZodType => sparseType(incoming, property);
    return {
      readsAll: true,
      carriesAll: true,
      reads: Object.fromEntries([
        ...(given.group_by === undefined ? [] : [[given.group_by, read(given.group_by)] as const]),
        ...entries.map(
          (entry) => [entry.name, readType(entry.strategy, read(entry.name))] as const,
        ),
      ]),
      sets: Object.fromEntries(
        entries.map(({ name: source, strategy, target }) => [
          target,
          resultType(strategy, ownMember(incoming, source) ?? read(source)),
        ]),
      ),
      deletes: entries.map((entry) => entry.name).filter((source) => !targets.includes(source)),
    };
  },
  runBatch: ({ inputs, options: given }) => {
    // Properties of namespaces are JSON.
    const namespaces = inputs as readonly JsonObject[];
    if (given.group_by !== undefined) {
      return groups(namespaces, given.group_by).map((group) =>
        collapseGroup(namespaces, group, given),
      );
    }
    if (namespaces.length === 0) {
      throw permanent(
        'collapse: there is no namespace left to make one of. An earlier stage dropped them all.',
        {},
        'CollapseEmpty',
      );
    }
    return [collapseGroup(namespaces, [...namespaces.keys()], given)];
  },
});

function entriesOf({ properties }: CollapseOptions): readonly Entry[] {
  return Object.entries(properties).map(([source, written]) => {
    if (typeof written === 'string') return { name: source, strategy: written, target: source };
    const { strategy, as = source, separator } = written;
    return { name: source, strategy, target: as, ...(separator !== undefined && { separator }) };
  });
}

/** The places of the namespaces of each group, in the order in which their values come up. */
function groups(
  namespaces: readonly JsonObject[],
  property: string,
): readonly (readonly number[])[] {
  const byValue = new Map<string, number[]>();
  namespaces.forEach((namespace, at) => {
    const value = canonicalJson(ownMember(namespace, property) ?? null);
    byValue.set(value, [...(byValue.get(value) ?? []), at]);
  });
  return [...byValue.values()];
}

function collapseGroup(
  all: readonly JsonObject[],
  group: readonly number[],
  given: CollapseOptions,
): DerivedReturn {
  const namespaces = group.map((at) => all[at] ?? {});
  const from = group[given.default === 'last' ? group.length - 1 : 0] ?? 0;
  const copied = all[from] ?? {};
  const entries = entriesOf(given);
  const listed = entries.flatMap((entry) => {
    const value = valueOf(namespaces, entry.name, entry);
    return value === undefined ? [] : [[entry.target, value] as const];
  });
  const settled = new Set([
    ...entries.flatMap((entry) => [entry.name, entry.target]),
    given.group_by,
  ]);
  const others = new Set(
    namespaces
      .flatMap((namespace) => Object.keys(namespace))
      .filter((other) => !settled.has(other)),
  );
  const carried = [...others].flatMap((other) => {
    const value = valueOf(namespaces, other, { strategy: given.default });
    // What the copied namespace has need not be sent once more.
    return value === undefined || isSame(value, ownMember(copied, other))
      ? []
      : [[other, value] as const];
  });
  return { from, set: Object.fromEntries([...carried, ...listed]) };
}

/** What a property becomes: a null where it has no other value than that, and undefined where no namespace has it. */
function valueOf(
  namespaces: readonly JsonObject[],
  property: string,
  by: CollapseRule,
): Json | undefined {
  const had = namespaces.flatMap((namespace) => {
    const value = ownMember(namespace, property);
    return value === undefined ? [] : [value];
  });
  const value = collapseValues(property, had.filter(isPresent), by);
  return value ?? (had.length > 0 ? null : undefined);
}

function isPresent(value: Json): value is Exclude<Json, null> {
  return value !== null;
}

function isSame(value: Json, other: Json | undefined): boolean {
  return value === other || (other !== undefined && canonicalJson(value) === canonicalJson(other));
}

interface Conflict {
  readonly path: readonly string[];
  readonly message: string;
}

function conflicts(given: CollapseOptions): readonly Conflict[] {
  const found: Conflict[] = [];
  const setBy = new Map<string, string>();
  for (const entry of entriesOf(given)) {
    const { target } = entry;
    const path = ['properties', entry.name];
    const other = setBy.get(target);
    if (other !== undefined)
      found.push({ path, message: `"${target}" is already what "${other}" becomes` });
    setBy.set(target, entry.name);
    if (entry.separator !== undefined && entry.strategy !== 'concat') {
      found.push({
        path: [...path, 'separator'],
        message: `only concat has a separator, not ${entry.strategy}`,
      });
    }
    if (given.group_by === entry.name || given.group_by === target) {
      found.push({
        path,
        message: `"${given.group_by}" is what the namespaces are grouped by, so it is the same in each group`,
      });
    }
  }
  return found;
}
