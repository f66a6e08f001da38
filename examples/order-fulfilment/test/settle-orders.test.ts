// Whole runs over files of orders, on a real Temporal, against the real payment service.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { RunFailed, type JsonObject } from 'millrace';
import { createTestEnvironment, type TestEnvironment } from 'millrace/testing';
import type { Settlement } from '../orders/settlement.js';
import { startPayments, type Payments } from '../service/start-payments.js';

interface Summary extends Settlement {
  readonly rows: number;
  readonly failed_workers: readonly { readonly name: string; readonly reason: string }[];
}

let payments: Payments;
let env: TestEnvironment;
/** Files that the tests have written, where the task may read them. */
const written = new Set<string>();
before(async () => {
  payments = await startPayments();
  process.env['PAYMENTS_URL'] = payments.url;
  // In this environment what does not work is given up soon.
  env = await createTestEnvironment({
    dir: '.',
    env: { ...process.env, MILLRACE_ENV: 'demo' },
  });
});
after(async () => {
  await env.stop();
  await payments.stop();
  for (const file of written) await rm(file);
});

async function settle(input: JsonObject, engine = env.engine): Promise<Summary> {
  const { result } = await engine.execute('settle-orders', input);
  return (result as unknown as { results: { summarize_settlement: Summary } }).results
    .summarize_settlement;
}

const HEAD = 'order_id,placed_on,customer,country,quantity,unit_price,currency,card';

/** Writes a file. @returns its path */
async function fileOf(name: string, lines: readonly string[]): Promise<string> {
  const file = `data/test-${name}.csv`;
  written.add(file);
  await writeFile(file, [HEAD, ...lines, ''].join('\n'));
  return file;
}

/** Orders with these cards, one for each. */
function ordersWith(cards: readonly string[]): readonly string[] {
  return cards.map(
    (card, index) => `O-${String(10_000 + index)},2026-03-01,Ada,AT,1,5.00,EUR,${card}`,
  );
}

test('accounts for each row of the file once', async () => {
  await using calm = await createTestEnvironment({ dir: '.' });
  const summary = await settle({}, calm.engine);
  const { charged, declined, held, refused, rows } = summary;
  assert.deepEqual(
    [rows, charged, declined.length, held.length, refused.length],
    [1_200, 1_156, 12, 21, 11],
  );
  assert.equal(charged + declined.length + held.length + refused.length, rows);
  assert.deepEqual(summary.failed_workers, []);
  // At 1,000.00 and a cent above it an order is large, a cent below it is not.
  assert.deepEqual(
    [211, 212, 213].filter((row) => held.includes(`O-${String(row)}`)),
    [212, 213],
  );
  assert.deepEqual(refused, [
    { row: 57, reason: 'order_id must be O- and a number' },
    { row: 131, reason: 'placed_on must be a day, such as 2026-03-01' },
    { row: 202, reason: 'customer must say who' },
    { row: 318, reason: 'country must be two capital letters' },
    { row: 433, reason: 'quantity must be 1 to 9999' },
    { row: 434, reason: 'quantity must be 1 to 9999' },
    { row: 590, reason: 'quantity must be 1 to 9999' },
    { row: 671, reason: 'unit_price must be an amount, such as 9.90' },
    { row: 702, reason: 'unit_price must be an amount, such as 9.90' },
    { row: 815, reason: 'currency must be EUR' },
    { row: 999, reason: 'card must not be empty' },
  ]);
  const service = await payments.summary();
  assert.deepEqual([service.charges, service.charged_cents], [charged, summary.charged_cents]);
  // What was busy or down was asked again.
  assert.deepEqual([service.answers['429'], service.answers['503']], [7, 6]);
});

test('charges nothing again when it is run again', async () => {
  const before = await payments.summary();
  const again = await settle({});
  const { charges } = await payments.summary();
  assert.deepEqual([again.charged, charges], [before.charges, before.charges]);
});

test('has workers go on when one has failed for good, says which, and can be run again', async () => {
  const cards = Array.from({ length: 450 }, (_, row) => (row === 300 ? 'card_outage' : 'card_1'));
  const summary = await settle({ file: await fileOf('outage', ordersWith(cards)) });
  const [failed, ...others] = summary.failed_workers;
  assert.deepEqual([failed?.name, others], ['settle_range_002', []]);
  assert.match(failed?.reason ?? '', /503/);
  assert.equal(summary.charged, 250);

  // The failed one had charged the hundred rows before the one that failed: in a second run they are counted, and not charged again.
  const before = (await payments.summary()).charges;
  const calm = ordersWith(cards.map(() => 'card_1'));
  const mended = await settle({ file: await fileOf('calm', calm) });
  assert.deepEqual([mended.charged, mended.failed_workers], [450, []]);
  assert.equal((await payments.summary()).charges, before + 100);
});

test('has nothing to do for a file without orders', async () => {
  const { rows, charged } = await settle({ file: await fileOf('empty', []) });
  assert.deepEqual([rows, charged], [0, 0]);
});

test('refuses rows with too few columns, and reads on', async () => {
  const quoted = '"O-32",2026-03-01,"Ada, ""A.""",AT,1,5.00,EUR,card_1';
  const file = await fileOf('short', ['O-31', quoted]);
  const { charged, refused } = await settle({ file });
  assert.deepEqual([charged, refused.map(({ row }) => row)], [1, [1]]);
});

test('fails at once where there is no such file', async () => {
  const settled = settle({ file: 'data/nowhere.csv' });
  await assert.rejects(settled, (error) => {
    assert.ok(error instanceof RunFailed);
    assert.deepEqual([error.failure.type, error.failure.attempts], ['NoSuchFile', 1]);
    return true;
  });
});

test('reads no file outside of its folder', async () => {
  for (const file of ['/etc/passwd', 'data/../handlers/payment.ts', '../orders.csv'])
    await assert.rejects(settle({ file }), { name: 'ContractViolation' });
});

test('has the file that make-orders.mjs makes', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['data/make-orders.mjs']);
  assert.equal(stdout, await readFile('data/orders.csv', 'utf8'));
});
