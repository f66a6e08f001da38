import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { FlowRequest } from '../../src/data-flow/request.js';
import type { Rejection, Row } from '../../src/data-flow/row.js';
import type { ConnectorContext } from '../../src/data-flow/source.js';
import {
  isFunctionTransform,
  type InlineTransform,
  type Transformed,
  type TransformContext,
  type TransformUse,
} from '../../src/data-flow/transform.js';
import { violationsOf } from '../../src/contract/violation.js';
import type { ObjectType } from '../../src/pipeline/operation.js';
import { isRetryable } from '../../src/pipeline/permanent.js';
import { retryAfterMs } from '../failure.js';
import { rejection } from './rejected-row.js';

/** What has become of the rows of a batch before the sink gets them. */
export interface ProcessedBatch {
  readonly rows: readonly Row[];
  readonly rejections: readonly Rejection[];
  readonly skipped: number;
  /** How many rows were made of a row, by its place among those that came, where it is not one. */
  readonly made: ReadonlyMap<number, number>;
}

type Work = Extract<CompiledDataFlow['work'], { kind: 'move' }>;

/** A row that a contract or the transform has refused. */
class RowRefused extends Error {
  constructor(
    readonly phase: Rejection['phase'],
    message: string,
  ) {
    super(message);
  }
}

/** What is between source and sink: the contracts and the transform of one run. */
export class RowProcessing {
  readonly #work: Work;
  readonly #transform: ((row: Row) => Transformed | Promise<Transformed>) | undefined;

  /** @param options - the parsed options of the transform, where it has a connector */
  constructor(work: Work, request: FlowRequest, context: ConnectorContext<unknown>) {
    this.#work = work;
    this.#transform = work.transform && transformOf(work.transform, request, context);
  }

  /**
   * Checks and transforms the rows of a batch. Rows that are refused are told, the others go on.
   *
   * @param numberOf - the number of a row among those of the run, by its place; asked for where it is refused
   * @throws what a transform throws that may pass, and so is not the row's fault
   */
  async process(
    rows: readonly Row[],
    numberOf: (place: number) => number,
  ): Promise<ProcessedBatch> {
    const { reads, writes } = this.#work;
    const made = new Map<number, number>();
    if (reads === undefined && writes === undefined && this.#transform === undefined)
      return { rows, rejections: [], skipped: 0, made };
    const passed: Row[] = [];
    const rejections: Rejection[] = [];
    let skipped = 0;
    for (const [at, row] of rows.entries()) {
      try {
        const making = this.#one(row);
        const out = making instanceof Promise ? await making : making;
        if (out.length !== 1) made.set(at, out.length);
        if (out.length === 0) skipped += 1;
        // One by one: a transform may make more of a row than a call takes arguments.
        else for (const outgoing of out) passed.push(outgoing);
      } catch (error) {
        if (!(error instanceof RowRefused)) throw error;
        made.set(at, 0);
        const { phase, message: reason } = error;
        rejections.push(rejection({ rowNumber: numberOf(at), phase, reason, row }));
      }
    }
    return { rows: passed, rejections, skipped, made };
  }

  /** Waits only where the transform does: most do not, and a row has microseconds. */
  #one(row: Row): readonly Row[] | Promise<readonly Row[]> {
    const { reads, writes } = this.#work;
    const checked = reads === undefined ? row : parsed(reads, 'reads', row);
    if (this.#transform === undefined) return written(writes, checked);
    try {
      const made = this.#transform(checked);
      return made instanceof Promise
        ? made.then((later) => written(writes, later), refuse)
        : written(writes, made);
    } catch (error) {
      if (error instanceof RowRefused) throw error;
      return refuse(error);
    }
  }
}

function transformOf(
  transform: TransformUse | InlineTransform,
  request: FlowRequest,
  context: ConnectorContext<unknown>,
): (row: Row) => Transformed | Promise<Transformed> {
  if (isFunctionTransform(transform)) {
    const { log, signal, services } = context;
    const shared = { ...request, log, signal, services };
    return (row) => transform({ ...shared, row });
  }
  const { configuration } = request;
  // The connector's own schema has made the options what it takes.
  const run = transform.transform.run as (
    given: TransformContext<Row, unknown>,
  ) => Transformed | Promise<Transformed>;
  return (row) => run({ ...context, configuration, row });
}

function written(writes: ObjectType | undefined, made: Transformed): readonly Row[] {
  // A body in JavaScript may return null as well.
  if (made === undefined || (made as unknown) === null) return [];
  const rows = Array.isArray(made) ? (made as readonly Row[]) : [made as Row];
  return writes === undefined ? rows : rows.map((row) => parsed(writes, 'writes', row));
}

function parsed(type: ObjectType, phase: 'reads' | 'writes', row: Row): Row {
  const result = type.safeParse(row);
  if (result.success) return result.data;
  const reasons = violationsOf(result.error, row).map(({ message }) => message);
  throw new RowRefused(phase, reasons.join('; '));
}

/** An error rejects the row, unless it says that it may pass. */
function refuse(error: unknown): never {
  if (isRetryable(error) || retryAfterMs(error) !== undefined || isAbort(error)) throw error;
  throw new RowRefused('transform', error instanceof Error ? error.message : String(error));
}

function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'AbortError' || error.name === 'CancelledFailure')
  );
}
