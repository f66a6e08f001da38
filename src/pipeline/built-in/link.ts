import { z } from 'zod';
import { defineGenericOperation } from '../operation.js';
import { comingType, valueType } from './property-type.js';

const name = z.string().min(1);

const options = z
  .object({
    /** Property to copy -> name of the copy. */
    copy: z.record(name, name).optional(),
    /** Property to rename -> its new name. */
    move: z.record(name, name).optional(),
    /** Property -> the value it gets. */
    set: z.record(name, z.json()).optional(),
    /** Properties to delete. */
    delete: z.array(name).optional(),
  })
  .superRefine((given, context) => {
    for (const { path, message } of conflicts(given))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

type LinkOptions = z.output<typeof options>;

interface Conflict {
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * Renames, copies, sets and deletes properties, so that operations which do not know each other fit together. Everything
 * is read before anything is written, so two properties can be swapped by moving each to the other's name.
 *
 * @example
 * ```yaml
 * - type: link
 *   options:
 *     copy: { title: headline }
 *     move: { body: text }
 *     set: { language: en }
 *     delete: [draft]
 * ```
 */
export const link = defineGenericOperation({
  name: 'link',
  description: 'Copies, renames, sets and deletes properties.',
  options,
  quick: true,
  contract: ({ options: given, incoming }) => {
    const sources = transfers(given);
    const targets = [...sources.map(({ to }) => to), ...Object.keys(given.set ?? {})];
    return {
      reads: Object.fromEntries(sources.map(({ from }) => [from, comingType(incoming, from)])),
      sets: Object.fromEntries([
        ...sources.map(({ from, to }) => [to, comingType(incoming, from)] as const),
        ...Object.entries(given.set ?? {}).map(([to, value]) => [to, valueType(value)] as const),
      ]),
      deletes: gone(given).filter((deleted) => !targets.includes(deleted)),
    };
  },
  run: ({ input, options: given }) => ({
    ...Object.fromEntries(
      transfers(given).flatMap(({ from, to }) =>
        Object.hasOwn(input, from) ? [[to, input[from]] as const] : [],
      ),
    ),
    ...given.set,
  }),
});

function transfers(
  given: LinkOptions,
): readonly { readonly from: string; readonly to: string; readonly kind: string }[] {
  return (['copy', 'move'] as const).flatMap((kind) =>
    Object.entries(given[kind] ?? {}).map(([from, to]) => ({ from, to, kind })),
  );
}

function gone(given: LinkOptions): readonly string[] {
  return [...new Set([...Object.keys(given.move ?? {}), ...(given.delete ?? [])])];
}

/** What cannot all be done in one step. */
function conflicts(given: LinkOptions): readonly Conflict[] {
  const found: Conflict[] = [];
  const setBy = new Map<string, string>();
  const target = (to: string, by: string, path: readonly string[]): void => {
    const other = setBy.get(to);
    if (other !== undefined)
      found.push({ path, message: `"${to}" is already the target of ${other}` });
    setBy.set(to, by);
  };
  for (const { from, to, kind } of transfers(given)) {
    if (from === to) found.push({ path: [kind, from], message: `"${from}" already has that name` });
    else target(to, `${kind}: { ${from}: ${to} }`, [kind, from]);
  }
  for (const to of Object.keys(given.set ?? {})) target(to, `set: { ${to}: … }`, ['set', to]);
  for (const deleted of given.delete ?? []) {
    const setter = setBy.get(deleted);
    if (setter !== undefined)
      found.push({ path: ['delete'], message: `"${deleted}" is also the target of ${setter}` });
    if (Object.hasOwn(given.move ?? {}, deleted)) {
      found.push({
        path: ['delete'],
        message: `"${deleted}" is already gone by move: { ${deleted}: … }`,
      });
    }
  }
  return found;
}
