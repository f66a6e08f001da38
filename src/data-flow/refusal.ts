/** Marks the error across copies of this package. */
const REFUSED = Symbol.for('millrace.rowsRefused');

/** A row of a batch that a sink does not take, for a reason that lies in the row. */
export interface RefusedRow {
  /** Its place in the batch, from 0. */
  readonly at: number;
  readonly reason: string;
}

/**
 * Thrown by a sink that does not take some rows of a batch, whenever they come: a value is too long, a constraint forbids it. The
 * sink has written nothing of the batch. The rows are kept as rejected, and the batch comes again without them, at once.
 *
 * It is for the fault of rows only. An outage, missing permissions or a table that is not there are errors of another kind: as rows'
 * fault they would reject every row there is.
 *
 * @example
 * ```ts
 * const refused = rows.flatMap(({ name }, at) =>
 *   String(name).length > 80 ? [{ at, reason: 'the name is longer than 80 characters' }] : [],
 * );
 * if (refused.length > 0) throw new RowsRefused(refused);
 * ```
 */
export class RowsRefused extends Error {
  override readonly name = 'RowsRefused';
  readonly [REFUSED] = true;
  /** @param refused - in any order, each row once; all that are at fault, or a batch comes again for each of them */
  constructor(readonly refused: readonly RefusedRow[]) {
    super(`${String(refused.length)} rows were refused. The first: ${refused[0]?.reason ?? ''}`);
  }
}

/** True for {@link RowsRefused}, whichever copy of the package made it. */
export function isRowsRefused(error: unknown): error is RowsRefused {
  return typeof error === 'object' && error !== null && REFUSED in error;
}
