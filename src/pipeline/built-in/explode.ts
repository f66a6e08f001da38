import { z } from 'zod';
import { anyValue, isOptional } from '../../contract/contract.js';
import { ownMember, type JsonObject } from '../../definition/json.js';
import type { DerivedReturn } from '../context.js';
import { defineGenericOperation } from '../operation.js';
import { permanent } from '../permanent.js';
import { itemType, presentType } from './property-type.js';

/** Limits of {@link explode}. */
export const EXPLODE_LIMITS = {
  /** Most namespaces that one use makes. */
  maxNamespaces: 10_000,
} as const;

const name = z.string().min(1);

const options = z
  .object({
    /** Property that is a list -> name that each of its items gets in a namespace of its own. */
    split: z.record(name, name),
    /** What happens to a namespace whose lists are empty: it goes (`skip`), or the run fails (`error`). */
    on_empty: z.enum(['skip', 'error']).default('skip'),
  })
  .superRefine(({ split }, context) => {
    const sources = Object.keys(split);
    if (sources.length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['split'],
        message: 'it names no list. Write split: { pages: page }',
      });
    }
    for (const source of sources) {
      const same = sources.find((other) => other !== source && split[other] === split[source]);
      if (same === undefined || sources.indexOf(same) > sources.indexOf(source)) continue;
      const message = `"${String(split[source])}" is already what items of "${same}" are called`;
      context.addIssue({ code: 'custom', path: ['split', source], message });
    }
  });

type ExplodeOptions = z.output<typeof options>;

/**
 * Makes one namespace of each item of a list. Several lists are split in step and must have equal lengths. The lists
 * themselves are gone afterwards; every other property is carried into each new namespace.
 *
 * Fails for good with `ExplodeLengths`, `ExplodeEmpty` (under `on_empty: error`) or `ExplodeLimit`.
 *
 * @example
 * ```yaml
 * - type: explode
 *   options:
 *     split: { pages: page, numbers: number }
 *     on_empty: error
 * ```
 */
export const explode = defineGenericOperation({
  name: 'explode',
  description: 'Makes one namespace of each item of a list.',
  options,
  changesCount: true,
  leaves: 'more',
  quick: true,
  contract: ({ options: { split }, incoming }) => {
    const targets = Object.values(split);
    return {
      reads: Object.fromEntries(
        Object.keys(split).map((source) => [source, listType(ownMember(incoming, source))]),
      ),
      sets: Object.fromEntries(
        Object.entries(split).map(([source, target]) => [
          target,
          itemType(ownMember(incoming, source)),
        ]),
      ),
      deletes: Object.keys(split).filter((source) => !targets.includes(source)),
      items: Object.fromEntries(Object.entries(split).map(([source, target]) => [target, source])),
    };
  },
  runBatch: ({ inputs, options: given }) => {
    // Reads were validated: every list is one, and its items are JSON.
    const namespaces = inputs as readonly JsonObject[];
    requireCount(namespaces, given);
    return namespaces.flatMap((namespace, index) => itemsOf(namespace, index, given));
  },
});

/** A list that may be absent counts as empty where it is. */
function listType(known: z.ZodType | undefined): z.ZodType {
  const inner = known === undefined ? undefined : presentType(known);
  const list = inner instanceof z.ZodArray ? inner : z.array(anyValue);
  return known !== undefined && isOptional(known) ? list.optional() : list;
}

function itemsOf(
  namespace: JsonObject,
  from: number,
  { split, on_empty }: ExplodeOptions,
): readonly DerivedReturn[] {
  const lists = Object.entries(split).map(([source, target]) => ({
    source,
    target,
    items: listIn(namespace, source),
  }));
  const lengths = lists.map(({ items }) => items.length);
  const [length = 0] = lengths;
  const sizes = Object.fromEntries(lists.map(({ source, items }) => [source, items.length]));
  if (lengths.some((other) => other !== length)) {
    const told = Object.entries(sizes).map(([source, size]) => `"${source}" has ${String(size)}`);
    throw permanent(
      `explode: the lists of namespace ${String(from)} have different lengths: ${told.join(', ')}. Lists that are split together must be equally long.`,
      { namespace: from, lengths: sizes },
      'ExplodeLengths',
    );
  }
  if (length === 0 && on_empty === 'error') {
    const sources = Object.keys(split).map((source) => `"${source}"`);
    throw permanent(
      `explode: ${sources.join(' and ')} of namespace ${String(from)} ${sources.length === 1 ? 'is' : 'are'} empty, and on_empty is error.`,
      { namespace: from },
      'ExplodeEmpty',
    );
  }
  return Array.from({ length }, (_, at) => ({
    from,
    set: Object.fromEntries(lists.map(({ target, items }) => [target, items[at]])),
  }));
}

function requireCount(namespaces: readonly JsonObject[], { split }: ExplodeOptions): void {
  const [source = ''] = Object.keys(split);
  const count = namespaces.reduce((sum, namespace) => sum + listIn(namespace, source).length, 0);
  if (count <= EXPLODE_LIMITS.maxNamespaces) return;
  throw permanent(
    `explode: "${source}" would make ${String(count)} namespaces; the most is ${String(EXPLODE_LIMITS.maxNamespaces)} (maxNamespaces). Split into larger items, and those in a later run.`,
    { count, limit: EXPLODE_LIMITS.maxNamespaces },
    'ExplodeLimit',
  );
}

function listIn(namespace: JsonObject, name: string): readonly unknown[] {
  const value = ownMember(namespace, name);
  return Array.isArray(value) ? value : [];
}
