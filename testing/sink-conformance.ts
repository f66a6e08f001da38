import assert from 'node:assert/strict';
import { isRowsRefused } from '../src/data-flow/refusal.js';
import { NO_ROWS, type Written } from '../src/data-flow/row.js';
import type { SinkReceipt } from '../src/data-flow/sink.js';
import { Bench, numbers, SIZE, type SinkCheckOptions } from './sink-bench.js';
import type { ConnectorCheck } from './source-conformance.js';

const FRESH_CATALOG = '01CONFORMANCE0000000000001';

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
    ...(options.refused === undefined
      ? []
      : [
          check('it tells all rows that it refuses, and takes the others', tellsWhatIsRefused),
          check('a batch of which it refuses every row is refused whole', refusesWhole),
        ]),
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

async function tellsWhatIsRefused(bench: Bench): Promise<void> {
  const writer = await bench.writer(1);
  await writer.write(bench.rows(0));
  const others = bench.rows(1);
  const mixed = others.flatMap((row, at) => [bench.refusedRow(at), row]);
  const refused = await refusedPlaces(writer.write([...mixed, bench.refusedRow(SIZE)]));
  const wrong = Array.from({ length: SIZE + 1 }, (_, at) => 2 * at);
  assert.deepEqual(refused, wrong, 'It does not tell exactly those rows that it refuses.');
  assert.equal(total((await writer.write(others)).written), SIZE);
  await bench.assertContent(2);
}

async function refusesWhole(bench: Bench): Promise<void> {
  const writer = await bench.writer(1);
  const rows = numbers(0).map((number) => bench.refusedRow(number));
  assert.deepEqual(await refusedPlaces(writer.write(rows)), numbers(0));
  // Nothing is left of the batch, and the flow goes on.
  assert.equal(total((await writer.write([])).written), 0);
  await writer.write(bench.rows(0));
  await bench.assertContent(1);
}

/** Where the rows are that a sink refuses. */
async function refusedPlaces(writing: Promise<SinkReceipt>): Promise<readonly number[]> {
  const error: unknown = await writing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(isRowsRefused(error), `It does not throw RowsRefused, but: ${String(error)}`);
  for (const { reason } of error.refused) assert.notEqual(reason, '', 'It gives no reason.');
  return error.refused.map(({ at }) => at).sort((a, b) => a - b);
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

function total(written: Written): number {
  return written.new + written.updated + written.redundant + written.unpredictable;
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
