import { expect } from '@jest/globals';
import { RecordInvalid, RecordNotFound } from '../../../../adapters/record-store/index.js';
import type { BoxStore, BoxValues } from './box-store.js';
import { contentOf, pick, put, TYPES, type Content, type TypeName } from './content.js';
import { expectSameAnswer } from './question.js';
import type { Change } from './steps.js';

const DEFAULTS: Omit<BoxValues, 'key' | 'plan'> = {
  state: 'new',
  weight: 0,
  note: null,
  tags: [],
  size: 0n,
  at: undefined,
};

/** Makes changes of a store and of a plain content alike. */
export class Changes {
  #keys = 0;
  /** Every id that was ever written: none is given to another record. */
  readonly #used = new Set<string>();

  /** Takes note of records that others have created. */
  know(content: Content): void {
    for (const type of TYPES)
      for (const id of content[type].keys()) this.#used.add(`${type} ${String(id)}`);
  }

  /** @returns the content after the change */
  async make(store: BoxStore, content: Content, change: Change): Promise<Content> {
    switch (change.kind) {
      case 'createBox': {
        const key = this.#key();
        const { id } = store.box.create({
          key,
          ...change.values,
          tags: [...(change.values.tags ?? [])],
        });
        return this.#created(content, 'box', id, { ...DEFAULTS, ...change.values, key });
      }
      case 'createItem': {
        const values = {
          key: this.#key(),
          box_id: pick([...content.box.keys()], change.box) ?? 12_345,
          done: change.done,
        };
        const { id } = store.item.create(values);
        return this.#created(content, 'item', id, { ...values, visits: 0 });
      }
      case 'createTally':
        return this.#created(content, 'tally', store.tally.create({}).id, { total: 0 });
      case 'nested':
        return this.#nested(store, content, change);
      case 'read':
        expectSameAnswer(store, content, change.question);
        return content;
      default:
        return changed(store, content, change);
    }
  }

  async #nested(
    store: BoxStore,
    content: Content,
    { changes, ending }: Change & { readonly kind: 'nested' },
  ): Promise<Content> {
    let within = content;
    const ended = store.transaction(async () => {
      for (const change of changes) {
        within = await this.make(store, within, change);
        expect(contentOf(store)).toEqual(within);
      }
      if (ending === 'throws') throw new Error('on purpose');
    });
    if (ending === 'well') {
      await ended;
      return within;
    }
    await expect(ended).rejects.toThrow('on purpose');
    return content;
  }

  #key(): string {
    this.#keys += 1;
    return `b${String(this.#keys)}`;
  }

  #created<T extends TypeName>(
    content: Content,
    type: T,
    id: number,
    values: Parameters<typeof put<T>>[3],
  ): Content {
    expect(this.#used).not.toContain(`${type} ${String(id)}`);
    this.#used.add(`${type} ${String(id)}`);
    return put(content, type, id, values);
  }
}

type OfOne = Exclude<
  Change,
  { readonly kind: 'createBox' | 'createItem' | 'createTally' | 'nested' | 'read' }
>;

/** Changes one record that is there; there may be none. */
function changed(store: BoxStore, content: Content, change: OfOne): Content {
  const isItem = change.kind === 'updateItem' || change.kind === 'deleteItem';
  const type = isItem ? 'item' : 'box';
  const id = pick([...content[type].keys()], isItem ? change.item : change.box);
  if (id === undefined) {
    expect(() => store[type].find(1_000_000)).toThrow(RecordNotFound);
    return content;
  }
  switch (change.kind) {
    case 'updateBox': {
      const box = content.box.get(id);
      if (box === undefined) return content;
      const { tags, ...values } = change.values;
      store.box.find(id).update({ ...values, ...(tags !== undefined && { tags: [...tags] }) });
      return put(content, 'box', id, { ...box, ...change.values });
    }
    case 'updateItem': {
      const item = content.item.get(id);
      if (item === undefined) return content;
      const { visits } = change;
      store.item.find(id).update({ visits });
      return put(content, 'item', id, { ...item, visits });
    }
    case 'invalid':
      expect(() => store.box.find(id).update({ note: 'not kept', weight: -1 })).toThrow(
        RecordInvalid,
      );
      expect(() => store.box.create({ key: 'not kept', plan: 'fail', weight: -1 })).toThrow(
        RecordInvalid,
      );
      return content;
    case 'deleteBox':
    case 'deleteItem':
      store[type].find(id).delete();
      expect(() => store[type].find(id)).toThrow(RecordNotFound);
      return put(content, type, id, undefined);
  }
}
