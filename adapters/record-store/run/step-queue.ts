import type { Condition } from '../../../src/record-store/condition.js';
import { guarded } from '../connection.js';
import type { LiveRecords } from '../live-records.js';
import type { ReadState } from '../read-state.js';
import type { RecordModel } from '../record-model.js';
import { idOf, type Row } from '../row.js';
import type { Selection } from '../select.js';

/** Most rows that are fetched ahead. */
const PAGE = 1_000;

/** Counting looks at all records: it may take so much of the time, a hundredth. */
export const COUNT_SHARE = 100;

/** Records that a step is to work on, one after the other, as the database has them at the time. */
export class StepQueue {
  #page: readonly Row[] = [];
  #at = 0;
  #after = 0;
  #isFetched = false;
  #readAt: ReadState | undefined;
  #given = 0;
  #changes = 0;
  #counted: { readonly value: number; readonly atMs: number; readonly costMs: number } | undefined;
  #givenSinceCount = 0;
  /** Nothing was worked on when this look at the query began. */
  #isWhole = true;

  /**
   * @param live - the store
   * @param model - whose records they are
   * @param selectionNow - which of them, as of now: those that have failed are none any more
   * @param busy - ids of those that are worked on, or not written yet
   */
  constructor(
    private readonly live: LiveRecords,
    private readonly model: RecordModel,
    private readonly selectionNow: () => Selection,
    private readonly busy: ReadonlySet<number>,
    /** Whether a change of one record can take others out of the query. */
    private readonly dependsOnOthers: boolean,
  ) {}

  /** True when a look at everything, with nothing being worked on, has found none. */
  get isEmpty(): boolean {
    return this.#isWhole && this.#given === 0;
  }

  /** Looks at everything again from the start. */
  restart(): void {
    this.#page = [];
    this.#at = 0;
    this.#after = 0;
    this.#isFetched = false;
    this.#given = 0;
    this.#isWhole = this.busy.size === 0;
  }

  /** The next record's row; undefined when everything was looked at. */
  next(): Row | undefined {
    for (;;) {
      const row = this.#page[this.#at];
      if (row === undefined) {
        if (!this.#fetch()) return undefined;
        continue;
      }
      this.#at += 1;
      const fresh = this.#changes === this.#changesNow ? row : this.#now(row);
      if (fresh === undefined) continue;
      this.#given += 1;
      this.#givenSinceCount += 1;
      return fresh;
    }
  }

  /** When the last one was read, or before. */
  get readAt(): ReadState | undefined {
    return this.#readAt;
  }

  /** How many are left, without those that are worked on. Counted again when that takes little of the time. */
  size(): number {
    const now = performance.now();
    const known = this.#counted;
    if (known === undefined || now - known.atMs > known.costMs * COUNT_SHARE) {
      const { file, reader } = this.live;
      const count = guarded(file, () => {
        const { limit: _, offset: __, ...all } = this.selectionNow();
        return reader.count(this.model, all);
      });
      const value = Math.max(0, count - this.busy.size);
      this.#counted = { value, atMs: now, costMs: performance.now() - now };
      this.#givenSinceCount = 0;
      return value;
    }
    return Math.max(0, known.value - this.#givenSinceCount);
  }

  get #changesNow(): number {
    return this.dependsOnOthers ? this.live.changes : this.live.otherChanges;
  }

  #fetch(): boolean {
    const selection = guarded(this.live.file, this.selectionNow);
    const isOrdered = hasOrder(selection);
    if (isOrdered && this.#isFetched) return false;
    this.#isFetched = true;
    this.#changes = this.#changesNow;
    this.#readAt = this.live.readState();
    const rows = this.#rows(isOrdered ? this.#first(selection) : this.#following(selection));
    // Those that are worked on now are not as they were read when it is their turn: the next look finds what is left of them.
    this.#page = rows.filter((row) => !this.busy.has(idOf(row)));
    this.#at = 0;
    const last = rows.at(-1);
    if (last === undefined) return false;
    this.#after = idOf(last);
    return true;
  }

  #first(selection: Selection): Selection {
    const most = PAGE + this.busy.size;
    return { ...selection, limit: Math.min(most, selection.limit ?? most) };
  }

  #following(selection: Selection): Selection {
    const after: Condition = { kind: 'compare', column: 'id', operator: '>', value: this.#after };
    return { ...selection, conditions: [...selection.conditions, after], limit: PAGE };
  }

  /** A row that was fetched before somebody else's changes, as it is now; undefined when it is none of the query any more. */
  #now(row: Row): Row | undefined {
    const same: Condition = { kind: 'compare', column: 'id', operator: '=', value: idOf(row) };
    const { conditions } = guarded(this.live.file, this.selectionNow);
    return this.#rows({ conditions: [...conditions, same], order: [] })[0];
  }

  #rows(selection: Selection): readonly Row[] {
    const { file, reader } = this.live;
    return guarded(file, () => reader.rows(this.model, selection));
  }
}

/** True where the query has an order of its own: then the first ones are taken again and again. */
function hasOrder({ order, limit, offset }: Selection): boolean {
  return order.length > 0 || limit !== undefined || offset !== undefined;
}
