import type { JsonObject } from '../definition/json.js';

/** What flows through a pipeline: an immutable map of properties. A run starts with one; `explode` makes more. */
export type Namespace = JsonObject;

/** What an operation did to one namespace. */
export interface Changes {
  readonly set: JsonObject;
  readonly deleted: readonly string[];
}

/** A namespace that an operation made from another one: a copy of `from` (an index into the input) with changes. */
export interface Derived extends Changes {
  readonly from: number;
}

/** The namespace after some changes. The input stays as it is. */
export function applyChanges(namespace: Namespace, changes: Changes): Namespace {
  const kept =
    changes.deleted.length === 0
      ? namespace
      : Object.fromEntries(
          Object.entries(namespace).filter(([name]) => !changes.deleted.includes(name)),
        );
  return { ...kept, ...changes.set };
}

/** Only these properties of a namespace, as far as it has them. */
export function pick(namespace: Namespace, names: readonly string[]): Namespace {
  return Object.fromEntries(
    names
      .filter((name) => Object.hasOwn(namespace, name))
      .map((name) => [name, namespace[name] ?? null]),
  );
}
