import assert from 'node:assert/strict';
import type { FlowPosition } from '../src/data-flow/position.js';
import { countBatch, NO_ROWS, type Row, type Written } from '../src/data-flow/row.js';
import type {
  OpenSink,
  SinkBatch,
  SinkConnector,
  SinkContext,
  SinkReceipt,
} from '../src/data-flow/sink.js';
import type { Json, JsonObject } from '../src/definition/json.js';
import { canonicalJson } from '../src/definition/json.js';
import type { Services } from '../src/pipeline/context.js';
import { connectorContext, type ConnectorCheck } from './source-conformance.js';

/** What a sink writes to in one check. */
export interface SinkUnderCheck {
  /** As a flow would write them. */
  readonly options: JsonObject;
  /** What has arrived, in any order: for each row what {@link SinkCheckOptions.row} gave, or what `arrives` makes of it. */
  readonly content: () => Promise<readonly unknown[]> | readonly unknown[];
  /** The project's folder; the working directory unless given. */
  readonly dir?: string;
  readonly services?: Partial<Services>;
  /** Another place to write to, which is not empty: what a flow has there when its options change. */
  readonly other?: Pick<SinkUnderCheck, 'options' | 'content'>;
  /** Takes down what was set up. */
  readonly tearDown?: () => Promise<void> | void;
}

/** What {@link sinkChecks} takes. */
export interface SinkCheckOptions {
  readonly sink: SinkConnector;
  /** Called by each check: an empty place to write to. */
  readonly setUp: () => Promise<SinkUnderCheck> | SinkUnderCheck;
  /** The row of a number, from 0. Each has its own key, where the sink has keys. */
  readonly row: (number: number) => Row;
  /** The row of the same key with other values, where the sink has keys. */
  readonly changed?: (number: number) => Row;
  /** How a row looks where it arrives; as it is unless given. */
  readonly arrives?: (row: Row) => unknown;
  /** True when a batch that comes again must not be there twice: the sink has keys, a state or keeps the position. */
  readonly once: boolean;
}

const FLOW = 'conformance';
const CATALOG = '01CONFORMANCE0000000000000';
const FRESH_CATALOG = '01CONFORMANCE0000000000001';
const SIZE = 5;

/**
 * What every sink has to do so that a flow can rely on its receipts: rows arrive, counts add up, a sink that is opened again
 * goes on, one that can tell writes nothing twice, and one that keeps the position lets no older run write. Independent of a test
 * framework, like `sourceChecks`.
 */
export function sinkChecks(options: SinkCheckOptions): readonly ConnectorCheck[] {
  const check = (name: string, body: (bench: Bench) => Promise<void>): ConnectorCheck => ({
    name,
    run: async () => {
      const under = await options.setUp();
      const bench = new Bench(options, under);
      try {
        await body(bench);
      } finally {
        await bench.close();
        await under.tearDown?.();
      }
    },
  });
  return [
    check('rows arrive, and counts add up to their number', rowsArrive),
    check('an empty batch is taken', takesEmptyBatch),
    check('opened again with its last state it goes on', goesOn),
    ...(options.once
      ? [check('a batch whose receipt was lost is not there twice', survivesLostReceipt)]
      : []),
    check('a batch that comes again with more rows loses none of them', takesGrownBatch),
    check('a flow of a catalog that is begun anew is written', takesFreshCatalog),
    check('with other options it writes to the other place, and leaves the first alone', moves),
    ...(options.changed === undefined
      ? []
      : [check('it tells new, updated and redundant rows', tellsWhatChanged)]),
    check('a later run fences an earlier one out, where it keeps the position', fencesOut),
    check('it gives back the position that it keeps', keepsPosition),
    check('a position that is ahead of the catalog has another step', tellsThatItIsAhead),
  ];
}

async function rowsArrive(bench: Bench): Promise<void> {
  const writer = await bench.writer(1);
  for (let batch = 0; batch < 3; batch += 1) {
    const { written } = await writer.write(bench.rows(batch));
    assert.equal(total(written), SIZE, `The counts ${JSON.stringify(written)} do not add up.`);
  }
  await bench.assertContent(3);
}

async function takesEmptyBatch(bench: Bench): Promise<void> {
  const writer = await bench.writer(1);
  const { written } = await writer.write([]);
  assert.equal(total(written), 0);
  await writer.write(bench.rows(0));
  await bench.assertContent(1);
}

async function goesOn(bench: Bench): Promise<void> {
  const first = await bench.writer(1);
  await first.write(bench.rows(0));
  await first.write(bench.rows(1));
  await first.close();
  const second = await bench.writer(1, first.position);
  await second.write(bench.rows(2));
  await second.close();
  const later = await bench.writer(2, second.position);
  await later.write(bench.rows(3));
  await bench.assertContent(4);
}

async function survivesLostReceipt(bench: Bench): Promise<void> {
  const first = await bench.writer(1);
  await first.write(bench.rows(0));
  const known = first.position;
  await first.write(bench.rows(1));
  await first.close();
  const again = await bench.writer(1, known);
  // A sink that keeps the position says that the batch is there; the flow goes on after it.
  if (again.position.step === known.step) await again.write(bench.rows(1));
  else assert.equal(again.position.step, known.step + 1);
  await again.write(bench.rows(2));
  await bench.assertContent(3);
}

async function takesGrownBatch(bench: Bench): Promise<void> {
  const first = await bench.writer(1);
  await first.write(bench.rows(0));
  const known = first.position;
  await first.write(bench.rows(1));
  await first.close();
  const again = await bench.writer(1, known);
  const isThere = again.position.step !== known.step;
  await again.write(isThere ? bench.rows(2) : [...bench.rows(1), ...bench.rows(2)]);
  await bench.assertHas([0, 1, 2].flatMap((batch) => bench.rows(batch)));
}

/** Its runs count from one again, and it knows nothing of what is there. */
async function takesFreshCatalog(bench: Bench): Promise<void> {
  const before = await bench.writer(7);
  await before.write(bench.rows(0));
  await before.write(bench.rows(1));
  const fresh = await unfenced(bench.writer(1, undefined, { flowId: FRESH_CATALOG }));
  assert.equal(fresh.position.step, 0, 'It goes on where a flow of another catalog was.');
  assert.equal(fresh.position.cursor, null);
  assert.deepEqual(fresh.position.counts, NO_ROWS);
  if (before.keepsPosition) await assertFenced(before.write(bench.rows(3)));
  await unfenced(fresh.write(bench.rows(2)));
  const again = await unfenced(bench.writer(2, fresh.position, { flowId: FRESH_CATALOG }));
  await again.write(bench.rows(3));
  await bench.assertHas([2, 3].flatMap((batch) => bench.rows(batch)));
}

async function moves(bench: Bench): Promise<void> {
  const { other } = bench;
  if (other === undefined) return;
  const first = await bench.writer(1);
  await first.write(bench.rows(0));
  await first.write(bench.rows(1));
  const before = await other.content();
  const idle = await bench.writer(2, first.position, other);
  assert.deepEqual(await other.content(), before, 'It changes the other place without rows.');
  await idle.close();
  const second = await bench.writer(2, first.position, other);
  await second.write(bench.rows(2));
  await second.close();
  const third = await bench.writer(3, second.position, other);
  await third.write(bench.rows(3));
  await bench.assertHas([...bench.rows(2), ...bench.rows(3)], other);
  await bench.assertContent(2);
}

async function tellsThatItIsAhead(bench: Bench): Promise<void> {
  const writer = await bench.writer(1);
  if (!writer.keepsPosition) return;
  const behind = writer.position;
  await writer.write(bench.rows(0));
  const same = await bench.writer(1, writer.position);
  assert.deepEqual(same.position, writer.position);
  const ahead = await bench.writer(1, behind);
  assert.ok(ahead.position.step > behind.step, 'It has the step of a catalog that is behind.');
  assert.deepEqual(ahead.position.cursor, writer.position.cursor);
}

async function tellsWhatChanged(bench: Bench): Promise<void> {
  const writer = await bench.writer(1);
  const none = { new: 0, updated: 0, redundant: 0, unpredictable: 0 };
  assert.deepEqual((await writer.write(bench.rows(0))).written, { ...none, new: SIZE });
  assert.deepEqual((await writer.write(bench.rows(0))).written, { ...none, redundant: SIZE });
  const mixed = [...bench.changedRows(0), ...bench.rows(1)];
  const { written } = await writer.write(mixed);
  assert.deepEqual(written, { ...none, new: SIZE, updated: SIZE });
  await bench.assertRows(mixed);
}

async function fencesOut(bench: Bench): Promise<void> {
  const older = await bench.writer(1);
  if (!older.keepsPosition) return;
  await older.write(bench.rows(0));
  const later = await bench.writer(2, older.position);
  await assertFenced(older.write(bench.rows(1)));
  await assertFenced(bench.writer(1, older.position));
  await bench.assertContent(1);
  await later.write(bench.rows(1));
  await bench.assertContent(2);
}

async function keepsPosition(bench: Bench): Promise<void> {
  const writer = await bench.writer(1);
  if (!writer.keepsPosition) return;
  const begin = writer.position;
  await writer.write(bench.rows(0));
  await writer.write(bench.rows(1));
  const same = await bench.writer(1, begin);
  assert.deepEqual(same.position, writer.position, 'The sink does not give what it has kept.');
  await same.write(bench.rows(2));
  await assertFenced(writer.write(bench.rows(3)));
  const next = await bench.writer(2, begin);
  assert.equal(next.position.runSeq, 2);
  assert.equal(next.position.step, same.position.step);
  assert.deepEqual(next.position.cursor, same.position.cursor);
  assert.deepEqual(next.position.counts, begin.counts, 'A new run has counts of its own.');
  const moved = { ...next.position, runSeq: 3, step: next.position.step + 1, cursor: 'by hand' };
  const after = await bench.writer(4, moved);
  assert.deepEqual(after.position.cursor, 'by hand', 'What a later run has moved counts.');
  await bench.assertContent(3);
}

/** Opens the sink as a flow does, and knows what has to be there. */
class Bench {
  readonly #options: SinkCheckOptions;
  readonly #under: SinkUnderCheck;
  readonly #open: Writer[] = [];

  constructor(options: SinkCheckOptions, under: SinkUnderCheck) {
    this.#options = options;
    this.#under = under;
  }

  get other(): SinkUnderCheck['other'] {
    return this.#under.other;
  }

  async writer(
    runSeq: number,
    from: FlowPosition = beginning(),
    { flowId = CATALOG, options = this.#under.options }: Opening = {},
  ): Promise<Writer> {
    const { sink } = this.#options;
    const context: SinkContext = {
      // Checked and with defaults, as the loader does.
      ...connectorContext(sink.options.parse(options) as JsonObject, this.#under),
      flow: FLOW,
      flowId,
      runSeq,
      state: jsonCopy(from.sinkState),
    };
    // The connector's options are erased; its own schema has just made them.
    const open = await sink.open(context as SinkContext<never>);
    const writer = new Writer(open, { flowId, runSeq }, from);
    this.#open.push(writer);
    await writer.takeOver();
    return writer;
  }

  rows(batch: number): readonly Row[] {
    return numbers(batch).map((number) => this.#options.row(number));
  }

  changedRows(batch: number): readonly Row[] {
    const { changed, row } = this.#options;
    return numbers(batch).map((number) => (changed ?? row)(number));
  }

  async assertContent(batches: number): Promise<void> {
    const all = Array.from({ length: batches }, (_, batch) => this.rows(batch)).flat();
    await this.assertRows(all);
  }

  async assertRows(rows: readonly Row[]): Promise<void> {
    // Copied, as a native driver's lists may be arrays of another realm in a test framework.
    const content = await this.#under.content();
    assert.deepEqual([...content].map(canonicalJson).sort(), this.#texts(rows));
  }

  /** Others may be there, and the same twice. */
  async assertHas(
    rows: readonly Row[],
    { content }: Pick<SinkUnderCheck, 'content'> = this.#under,
  ): Promise<void> {
    const there = new Set([...(await content())].map(canonicalJson));
    const missing = this.#texts(rows).filter((text) => !there.has(text));
    assert.deepEqual(missing, [], 'Rows are missing.');
  }

  #texts(rows: readonly Row[]): string[] {
    const { arrives = (row: Row): unknown => row } = this.#options;
    return [...rows].map(arrives).map(canonicalJson).sort();
  }

  async close(): Promise<void> {
    for (const writer of this.#open) await writer.close();
  }
}

/** What is not as usual when a sink is opened. */
interface Opening {
  readonly flowId?: string;
  readonly options?: JsonObject;
}

/** A sink that is open, and the position of the flow that writes to it. */
class Writer {
  readonly #sink: OpenSink;
  readonly #run: { readonly flowId: string; readonly runSeq: number };
  #position: FlowPosition;
  #closed = false;

  constructor(
    sink: OpenSink,
    run: { readonly flowId: string; readonly runSeq: number },
    position: FlowPosition,
  ) {
    this.#sink = sink;
    this.#run = run;
    this.#position = position;
  }

  get position(): FlowPosition {
    return this.#position;
  }

  get keepsPosition(): boolean {
    return this.#sink.takeOver !== undefined;
  }

  async takeOver(): Promise<void> {
    if (this.#sink.takeOver !== undefined)
      this.#position = await this.#sink.takeOver(this.#position);
  }

  async write(rows: readonly Row[]): Promise<SinkReceipt> {
    const { step, cursor, counts } = this.#position;
    const next = (written: Written): FlowPosition => ({
      runSeq: this.#run.runSeq,
      step: step + 1,
      cursor: [cursor, rows.length],
      sinkState: null,
      counts: countBatch(counts, { read: rows.length, rejected: 0, skipped: 0 }, written),
    });
    // As the flow's: more rows are another batch.
    const idempotencyKey = `${this.#run.flowId}/${String(step)}/${String(rows.length)}`;
    const batch: SinkBatch = { rows, idempotencyKey, step, next };
    const receipt = await this.#sink.write(batch);
    this.#position = { ...next(receipt.written), sinkState: receipt.state ?? null };
    return receipt;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#sink.close?.();
  }
}

function beginning(): FlowPosition {
  return { runSeq: 0, step: 0, cursor: null, sinkState: null, counts: NO_ROWS };
}

function numbers(batch: number): readonly number[] {
  return Array.from({ length: SIZE }, (_, index) => batch * SIZE + index);
}

function total(written: Written): number {
  return written.new + written.updated + written.redundant + written.unpredictable;
}

function jsonCopy(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

async function unfenced<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (!isFenceLost(error)) throw error;
    const message = 'A catalog that is begun anew is fenced out by one before it.';
    throw new assert.AssertionError({ message });
  }
}

/** By its name: a third party's sink may come with a copy of this package. */
function isFenceLost(error: unknown): boolean {
  return error instanceof Error && error.name === 'FenceLost';
}

async function assertFenced(promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, isFenceLost, 'An older run was not fenced out.');
}
