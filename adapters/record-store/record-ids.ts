import type { Connection } from './connection.js';
import type { RecordModel } from './record-model.js';

/** Most ids that are set aside at once. */
const LARGEST_BLOCK = 1_000;

/** Ids that this process may give away. */
interface Block {
  next: number;
  end: number;
  size: number;
}

/**
 * Gives ids to new records before they are written: a body uses them at once. They are set aside in the database in blocks,
 * so that processes do not give the same ones; what is left of a block is given back in the end.
 */
export class RecordIds {
  readonly #blocks = new Map<RecordModel, Block>();

  constructor(private readonly db: Connection) {}

  next(model: RecordModel): number {
    const block = this.#blocks.get(model);
    if (block !== undefined && block.next < block.end) return block.next++;
    const size = Math.min(LARGEST_BLOCK, (block?.size ?? 0) * 2 || 1);
    const end = this.#reserve(model, size);
    this.#blocks.set(model, { next: end - size + 1, end, size });
    return end - size;
  }

  /** Forgets what is set aside: somebody else has written under one of these ids. */
  clear(): void {
    this.#blocks.clear();
  }

  /** Gives back what was not used, where nobody has set more aside since. An id more or less is worth no error. */
  giveBack(): void {
    try {
      const giveBack = this.db.prepare(
        'update millrace_ids set next = ? where name = ? and next = ?',
      );
      for (const [{ table }, { next, end }] of this.#blocks)
        if (next < end) giveBack.run(next, table, end);
    } catch {
      // The disk is full, or the file is not to be written to.
    }
    this.#blocks.clear();
  }

  /** @returns the end of the block, which is not part of it */
  #reserve(model: RecordModel, size: number): number {
    // Another tool may have written records, too.
    const statement = this.db
      .prepare(
        `insert into millrace_ids (name, next)
         values (@table, (select coalesce(max("id"), 0) + 1 from "${model.table}") + @size)
         on conflict (name) do update set
           next = max(next, (select coalesce(max("id"), 0) + 1 from "${model.table}")) + @size
         returning next`,
      )
      .pluck();
    return Number(statement.get({ table: model.table, size }));
  }
}
