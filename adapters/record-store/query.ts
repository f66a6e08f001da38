import { conditionsOf, type Condition } from '../../src/record-store/condition.js';
import { InvalidQuery, RecordNotFound } from '../../src/record-store/errors.js';
import type { RecordModel } from './record-model.js';
import { rowOf, valuesOf, type StoredRecord } from './record-class.js';
import { EVERYTHING, type Selection } from './select.js';

/** What queries read from: a store, or a version of one. */
export interface RecordSource {
  readonly read: (model: RecordModel, selection: Selection) => readonly StoredRecord[];
  readonly count: (model: RecordModel, selection: Selection) => number;
}

/** Records of one type that fulfil conditions. Immutable: what narrows it down makes another one. */
export class RecordQuery implements Iterable<StoredRecord> {
  constructor(
    readonly source: RecordSource,
    readonly model: RecordModel,
    readonly selection: Selection = EVERYTHING,
  ) {}

  where(
    condition: string | Readonly<Record<string, unknown>>,
    ...values: readonly unknown[]
  ): RecordQuery {
    const added: readonly Condition[] =
      typeof condition === 'string'
        ? [{ kind: 'sql', text: condition, values }]
        : conditionsOf(condition, (column) => this.#keepsJson(column));
    return this.#with({ conditions: [...this.selection.conditions, ...added] });
  }

  order(column: string, direction: 'asc' | 'desc' = 'asc'): RecordQuery {
    return this.#with({ order: [...this.selection.order, { column, direction }] });
  }

  limit(limit: number): RecordQuery {
    return this.#with({ limit: checkedCount('limit', limit) });
  }

  offset(offset: number): RecordQuery {
    return this.#with({ offset: checkedCount('offset', offset) });
  }

  all(): readonly StoredRecord[] {
    return this.source.read(this.model, this.selection);
  }

  first(): StoredRecord | undefined {
    if (this.selection.limit === 0) return undefined;
    return this.#with({ limit: 1 }).all()[0];
  }

  count(): number {
    return this.source.count(this.model, this.selection);
  }

  exists(): boolean {
    return this.first() !== undefined;
  }

  pluck(column: string): readonly unknown[] {
    if (column === 'id') return this.all().map(({ id }) => id);
    if (!this.model.position.has(column))
      throw new InvalidQuery(`${this.model.name} has no column ${JSON.stringify(column)}.`);
    return this.all().map((record) => valuesOf(this.model, rowOf(record))[column]);
  }

  find(id: number): StoredRecord {
    const found = this.where({ id }).first();
    if (found === undefined) throw new RecordNotFound(this.model.name, id);
    return found;
  }

  [Symbol.iterator](): Iterator<StoredRecord> {
    return this.all()[Symbol.iterator]();
  }

  #with(change: Partial<Selection>): RecordQuery {
    return new RecordQuery(this.source, this.model, { ...this.selection, ...change });
  }

  #keepsJson(column: string): boolean {
    const at = this.model.position.get(column) ?? 0;
    return this.model.columns[at - 1]?.kind === 'json';
  }
}

function checkedCount(what: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new InvalidQuery(`${what} takes a whole number from 0 on, not ${String(count)}.`);
}
