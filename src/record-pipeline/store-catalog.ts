/** Where the store of a record pipeline is, as far as the catalog knows. */
export interface KnownStore {
  /** The store's own id, which is inside it. */
  readonly id: string;
  /** The name of the machine that had it last. */
  readonly host: string;
  /** Its folder there; absolute. */
  readonly dir: string;
  readonly seenAt: Date;
}

/** A machine that has said nothing for so long, in milliseconds, does not use its store any more. */
const IN_USE_MS = 60_000;

/** Whether a store was used a moment ago: what is here under its id, on another machine, is a copy then. */
export function isInUse({ seenAt }: KnownStore, now: Date): boolean {
  return now.getTime() - seenAt.getTime() < IN_USE_MS;
}

/** What is remembered of where stores are: they are files, and any worker may be asked for them. */
export interface StoreCatalog {
  find(pipeline: string): Promise<KnownStore | undefined>;
  /** Says where a store is, unless it is known already. @returns what is known then */
  claim(pipeline: string, store: KnownStore): Promise<KnownStore>;
  /** Says where a store is, whatever was known. */
  note(pipeline: string, store: KnownStore): Promise<void>;
  /** Says when a store was last used where it is known to be. A store that is known elsewhere stays there. */
  touch(pipeline: string, store: KnownStore): Promise<void>;
  /** @returns what was known */
  forget(pipeline: string): Promise<KnownStore | undefined>;
}
