import type { BoxValues, ItemValues, TallyValues } from './box-store.js';

/** Everything that a store holds, by id: the plain thing that it is compared with. */
export interface Content {
  readonly box: ReadonlyMap<number, BoxValues>;
  readonly item: ReadonlyMap<number, ItemValues>;
  readonly tally: ReadonlyMap<number, TallyValues>;
}

export type TypeName = keyof Content;

export const EMPTY: Content = { box: new Map(), item: new Map(), tally: new Map() };

export const TYPES = ['box', 'item', 'tally'] as const;

type ValuesOf<T extends TypeName> = Content[T] extends ReadonlyMap<number, infer V> ? V : never;

/** With a record as it is now; undefined: without it. */
export function put<T extends TypeName>(
  content: Content,
  type: T,
  id: number,
  values: ValuesOf<T> | undefined,
): Content {
  // The map of a type holds values of that type.
  const changed = new Map(content[type] as ReadonlyMap<number, ValuesOf<T>>);
  if (values === undefined) changed.delete(id);
  else changed.set(id, values);
  return { ...content, [type]: changed };
}

/** Records by their ids, as queries give them unless asked otherwise. */
export function sorted<V>(records: ReadonlyMap<number, V>): readonly (readonly [number, V])[] {
  return [...records].sort(([a], [b]) => a - b);
}

/** One of the ids, whichever a number stands for; undefined where there are none. */
export function pick(ids: readonly number[], at: number): number | undefined {
  return ids.length === 0 ? undefined : ids[at % ids.length];
}

/** A source of records: a store, or one of its versions. */
export type Readable = {
  readonly [T in TypeName]: { all(): readonly { toJSON(): object }[] };
};

/** What is in a store, or in a version. */
export function contentOf(source: Readable): Content {
  const read = (type: TypeName): ReadonlyMap<number, object> =>
    new Map(
      source[type].all().map((record) => {
        const { id, ...values } = record.toJSON() as { readonly id: number };
        return [id, values];
      }),
    );
  // What columns hold is what the types say: it is compared with what was put there.
  return { box: read('box'), item: read('item'), tally: read('tally') } as Content;
}

/** How two contents differ, as `diff` tells it. */
export function differences(
  before: Content,
  after: Content,
): Readonly<
  Record<TypeName, Readonly<Record<'added' | 'removed' | 'changed', readonly number[]>>>
> {
  const of = (type: TypeName): Record<'added' | 'removed' | 'changed', readonly number[]> => {
    const [old, now] = [before[type], after[type]] as readonly ReadonlyMap<number, object>[];
    const [older = new Map<number, object>(), newer = new Map<number, object>()] = [old, now];
    const ids = [...new Set([...older.keys(), ...newer.keys()])].sort((a, b) => a - b);
    return {
      added: ids.filter((id) => !older.has(id)),
      removed: ids.filter((id) => !newer.has(id)),
      changed: ids.filter(
        (id) => older.has(id) && newer.has(id) && asText(older.get(id)) !== asText(newer.get(id)),
      ),
    };
  };
  return { box: of('box'), item: of('item'), tally: of('tally') };
}

/** Values as text, the same for the same, whatever the order of their names. */
export function asText(values: object | undefined): string {
  const named = Object.entries(values ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(values === undefined ? 'none' : named, (_key, value: unknown) =>
    typeof value === 'bigint' ? `${String(value)}n` : value,
  );
}
