// Whole runs of one order, on a real Temporal, against the real payment service.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RunFailed, stepsOf, type JsonObject, type Run, type StepProgress } from 'millrace';
import { createTestEnvironment, type TestEnvironment } from 'millrace/testing';
import { startPayments, type Payments } from '../service/start-payments.js';

let payments: Payments;
let env: TestEnvironment;
before(async () => {
  payments = await startPayments();
  process.env['PAYMENTS_URL'] = payments.url;
  env = await createTestEnvironment({ dir: '.' });
});
after(async () => {
  await env.stop();
  await payments.stop();
});

/** An order of one thing, at this price. */
function orderOf(id: string, cents: number, card = 'card_4242'): JsonObject {
  const items = [{ sku: 'mug', quantity: 1, unit_price_cents: cents }];
  return { order_id: id, country: 'AT', card, items };
}

type Summary = Readonly<Record<string, unknown>>;

async function fulfil(order: JsonObject): Promise<{ summary: Summary; run: Run }> {
  const { result, run } = await env.engine.execute('fulfil-order', order);
  const { results } = result as { results: { summarize_order: Summary } };
  return { summary: results.summarize_order, run };
}

async function stepOf(run: Run, name: string): Promise<StepProgress | undefined> {
  const { progress } = await run.describe();
  return progress?.task && stepsOf(progress.task).find((step) => step.name === name);
}

async function statusesOf(run: Run, ...names: readonly string[]): Promise<readonly unknown[]> {
  return Promise.all(names.map(async (name) => (await stepOf(run, name))?.status));
}

/** Waits until a run asks for approval. */
async function asked(run: Run): Promise<void> {
  for await (const { type } of run.events()) if (type === 'approval_requested') return;
  throw new Error('nobody was asked');
}

async function failureOf(run: Run): Promise<RunFailed['failure']> {
  const error: unknown = await run.result().catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RunFailed, String(error));
  return error.failure;
}

const BRANCHES = ['accept_order', 'screen_order', 'approve_order'];

test('creates what the size of an order asks for, and nothing else', async () => {
  const small = await fulfil(orderOf('F-1', 9_999));
  assert.deepEqual([small.summary['size'], small.summary['checks']], ['small', ['accept_order']]);
  assert.deepEqual(await statusesOf(small.run, ...BRANCHES), ['complete', 'skipped', 'skipped']);

  const medium = await fulfil(orderOf('F-2', 10_000));
  assert.deepEqual(
    [medium.summary['size'], medium.summary['checks']],
    ['medium', ['screen_order']],
  );
  assert.deepEqual(await statusesOf(medium.run, ...BRANCHES), ['skipped', 'complete', 'skipped']);

  const below = await fulfil(orderOf('F-3', 99_999));
  assert.deepEqual(below.summary['size'], 'medium');
});

test('charges a large order when somebody has approved it, and not before', async () => {
  const before = (await payments.summary()).charges;
  const run = await env.engine.start('fulfil-order', orderOf('F-4', 100_000));
  await asked(run);
  assert.deepEqual(await statusesOf(run, 'approve_order', 'charge_order'), [
    'in_progress',
    'pending',
  ]);
  assert.equal((await payments.summary()).charges, before);

  const answer = { kind: 'answer', step: 'approve_order', approved: true } as const;
  await assert.rejects(run.tellStep({ ...answer, result: { by: '' } }), {
    name: 'ContractViolation',
  });
  await run.tellStep({ ...answer, result: { by: 'ada' } });
  const { results } = (await run.result()) as { results: { summarize_order: Summary } };
  const { size, checks, approved_by: by } = results.summarize_order;
  assert.deepEqual([size, checks, by], ['large', ['screen_order', 'approve_order'], 'ada']);
  assert.equal((await payments.summary()).charges, before + 1);
});

test('charges nothing for what was rejected', async () => {
  const before = (await payments.summary()).charges;
  const run = await env.engine.start('fulfil-order', orderOf('F-5', 100_001));
  await asked(run);
  await run.tellStep({
    kind: 'answer',
    step: 'approve_order',
    approved: false,
    result: 'too dear',
  });
  assert.equal((await failureOf(run)).type, 'ApprovalRejected');
  assert.deepEqual(await statusesOf(run, 'charge_order', 'ship_order'), ['blocked', 'blocked']);
  assert.equal((await payments.summary()).charges, before);
});

test('waits no longer for an approval than the template says', async () => {
  await using demo = await createTestEnvironment({
    dir: '.',
    env: { ...process.env, MILLRACE_ENV: 'demo' },
  });
  const run = await demo.engine.start('fulfil-order', orderOf('F-6', 100_000));
  assert.equal((await failureOf(run)).type, 'ApprovalTimeout');
});

test('comes back to a service that is busy or down', async () => {
  for (const card of ['card_busy', 'card_flaky']) {
    const { run } = await fulfil(orderOf(`F-${card}`, 500, card));
    assert.equal((await stepOf(run, 'charge_order'))?.attempts, 2, card);
  }
});

test('asks once where the card is declined, and ships nothing', async () => {
  const run = await env.engine.start('fulfil-order', orderOf('F-7', 500, 'card_declined'));
  assert.equal((await failureOf(run)).type, 'CardDeclined');
  assert.equal((await stepOf(run, 'charge_order'))?.attempts, 1);
  assert.deepEqual(await statusesOf(run, 'ship_order'), ['blocked']);
});

test('starts no run of what is no order', async () => {
  const { items: _, ...withoutItems } = orderOf('F-8', 500);
  for (const wrong of [withoutItems, orderOf('F-8', 0), { ...orderOf('F-8', 1), country: 'at' }])
    await assert.rejects(env.engine.start('fulfil-order', wrong), { name: 'ContractViolation' });
});
