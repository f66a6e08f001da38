// Handlers by themselves: no Temporal, no waiting.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JsonObject, StepResult } from 'millrace';
import { OperationReport, runStep } from 'millrace/testing';
import { screenOrder } from '../handlers/checks.js';
import { chargeOrder } from '../handlers/payment.js';
import { priceOrder, routeOrder } from '../handlers/pricing.js';
import { settleRange, summarizeSettlement } from '../handlers/settlement.js';
import { summarizeOrder } from '../handlers/shipping.js';
import { startPayments, type Payments } from '../service/start-payments.js';

const LIMITS = { medium_from_cents: 10_000, large_from_cents: 100_000 };

let payments: Payments;
before(async () => {
  payments = await startPayments();
  process.env['PAYMENTS_URL'] = payments.url;
});
after(() => payments.stop());

function dataOf(result: StepResult): JsonObject {
  assert.ok('data' in result && !('message' in result), JSON.stringify(result));
  return result.data as JsonObject;
}

test('prices an order in whole cents', async () => {
  const items = [
    { sku: 'mug', quantity: 3, unit_price_cents: 1_490 },
    { sku: 'pot', quantity: 1, unit_price_cents: 29 },
  ];
  const result = await runStep(priceOrder, { taskFields: { items } });
  assert.deepEqual(dataOf(result), { pieces: 4, amount_cents: 4_499 });
});

const sizes = [
  [1, 'small', ['accept_order']],
  [9_999, 'small', ['accept_order']],
  [10_000, 'medium', ['screen_order']],
  [10_001, 'medium', ['screen_order']],
  [99_999, 'medium', ['screen_order']],
  [100_000, 'large', ['screen_order', 'approve_order']],
  [100_001, 'large', ['screen_order', 'approve_order']],
] as const;

test('routes by the amount, which is of the larger size from the limit on', async () => {
  for (const [amount, size, branches] of sizes) {
    const result = await runStep(routeOrder, {
      config: LIMITS,
      dependencyResults: { price_order: { amount_cents: amount } },
    });
    assert.deepEqual(dataOf(result), { size, branches }, String(amount));
  }
});

test('does not guess limits that the template does not give', async () => {
  const result = await runStep(routeOrder, {
    dependencyResults: { price_order: { amount_cents: 1 } },
  });
  assert.equal('retryable' in result && result.retryable, false);
});

test('refuses more pieces than anybody needs, and no fewer', async () => {
  const screen = (quantity: number): Promise<StepResult> =>
    runStep(screenOrder, {
      config: { most_pieces: 500 },
      taskFields: { items: [{ sku: 'mug', quantity, unit_price_cents: 1 }] },
    });
  assert.deepEqual(dataOf(await screen(500)), { screened: 1 });
  const refused = await screen(501);
  assert.ok('type' in refused);
  assert.equal(refused.type, 'OrderRefused');
  assert.equal(refused.retryable, false);
});

const chargeOf = (order: string, card: string): Promise<StepResult> =>
  runStep(chargeOrder, {
    taskFields: { order_id: order, card },
    dependencyResults: { price_order: { amount_cents: 500 } },
  });

test('charges an order once, however often it is asked', async () => {
  const first = dataOf(await chargeOf('H-1', 'card_1'));
  assert.equal(first['amount_cents'], 500);
  assert.deepEqual(dataOf(await chargeOf('H-1', 'card_1')), first);
});

test('fails for good where the card is declined, and for now where the service is', async () => {
  const answers = [
    ['card_declined', 'CardDeclined', false],
    ['card_busy', 'HttpRequestFailed', true],
    ['card_flaky', 'HttpRequestFailed', true],
  ] as const;
  for (const [card, type, retryable] of answers) {
    const result = await chargeOf(`H-${card}`, card);
    assert.ok('type' in result, card);
    assert.deepEqual([result.type, result.retryable], [type, retryable], card);
  }
});

test('goes on from its checkpoint, and counts what the attempt before has counted', async () => {
  const report = new OperationReport();
  const result = await runStep(settleRange, {
    config: LIMITS,
    taskFields: { file: 'data/orders.csv' },
    range: { start: 50, end: 60 },
    checkpoint: { cursor: 56, accumulated: { charged: 6, charged_cents: 600 } },
    attempt: 2,
    report,
  });
  const { charged, refused } = dataOf(result);
  // Rows 57 to 60 were left, of which the first is no order.
  assert.equal(charged, 9);
  assert.deepEqual(refused, [{ row: 57, reason: 'order_id must be O- and a number' }]);
  assert.equal(report.heartbeats.length, 4);
});

test('keeps where it has come when the service is down', async () => {
  const report = new OperationReport();
  // Row 173 has a card with which the service is down, once.
  const options = { config: LIMITS, taskFields: { file: 'data/orders.csv' }, report };
  const failed = await runStep(settleRange, { ...options, range: { start: 170, end: 175 } });
  assert.equal('retryable' in failed && failed.retryable, true);
  const kept = report.heartbeats.at(-1)?.checkpoint as { cursor: number } | undefined;
  assert.equal(kept?.cursor, 172);
  const again = await runStep(settleRange, {
    ...options,
    range: { start: 170, end: 175 },
    checkpoint: { ...kept },
    attempt: 2,
  });
  const { charged, held } = dataOf(again) as { charged: number; held: string[] };
  assert.deepEqual([charged, held], [4, ['O-172']]);
});

test('sums up what was chosen, and says nothing of what was not', async () => {
  const result = await runStep(summarizeOrder, {
    taskFields: { order_id: 'H-2' },
    dependencyResults: {
      route_order: { size: 'medium' },
      price_order: { amount_cents: 10_000 },
      screen_order: { screened: 1 },
      charge_order: { charge_id: 'c-1' },
      ship_order: { tracking: 'AT-H-2' },
    },
  });
  assert.deepEqual(dataOf(result), {
    order_id: 'H-2',
    size: 'medium',
    amount_cents: 10_000,
    checks: ['screen_order'],
    charge_id: 'c-1',
    tracking: 'AT-H-2',
  });
});

test('sums up no workers at all', async () => {
  const result = await runStep(summarizeSettlement, {
    dependencyResults: { divide_orders: { rows: 0 } },
  });
  assert.deepEqual(dataOf(result)['charged'], 0);
});
