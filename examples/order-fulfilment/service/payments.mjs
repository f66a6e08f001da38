/**
 * A payment service to try the example on, in memory. It stands for somebody else's: `node service/payments.mjs`.
 *
 * `POST /charges` wants an `Idempotency-Key`: asked again with the same one, it answers with the charge that there is. As test cards
 * of real services do, the card says what becomes of it:
 *
 * | card            | answer                                                      |
 * | --------------- | ----------------------------------------------------------- |
 * | `card_declined` | 422, always                                                 |
 * | `card_busy`     | 429 with `Retry-After: 1`, once for each key; then 201      |
 * | `card_flaky`    | 503, once for each key; then 201                            |
 * | `card_outage`   | 503, always                                                 |
 * | others          | 201                                                         |
 *
 * `GET /charges` says how many there are, and how many requests there were, by the status of their answers.
 *
 * `PORT` is 8790 unless set, `LATENCY_MS` (of each answer) 2.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const { PORT = '8790', LATENCY_MS = '2' } = process.env;

/** Charges by their keys: `{ charge_id, order_id, amount_cents }`. */
const charges = new Map();
/** Keys that were asked to come back. */
const askedToComeBack = new Set();
/** How many answers there were of each status. */
const answers = {};

function comeBackOnce(key, answer) {
  if (askedToComeBack.has(key)) return undefined;
  askedToComeBack.add(key);
  return answer;
}

/** What keeps a charge from being made; undefined where nothing does. */
function refusal(key, card) {
  switch (card) {
    case 'card_declined':
      return { status: 422, body: { error: 'card_declined' } };
    case 'card_busy':
      return comeBackOnce(key, {
        status: 429,
        headers: { 'retry-after': '1' },
        body: { error: 'too_many_requests' },
      });
    case 'card_flaky':
      return comeBackOnce(key, { status: 503, body: { error: 'unavailable' } });
    case 'card_outage':
      return { status: 503, body: { error: 'unavailable' } };
    default:
      return undefined;
  }
}

async function createCharge(request) {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return { status: 400, body: { error: 'idempotency_key_missing' } };
  const known = charges.get(key);
  if (known !== undefined) return { status: 200, body: known };
  const { order_id, amount_cents, card } = await json(request);
  const refused = refusal(key, card);
  if (refused !== undefined) return refused;
  const charge = { charge_id: randomUUID(), order_id, amount_cents };
  charges.set(key, charge);
  return { status: 201, body: charge };
}

function summary() {
  const cents = [...charges.values()].map(({ amount_cents }) => amount_cents);
  return {
    charges: charges.size,
    charged_cents: cents.reduce((sum, one) => sum + one, 0),
    answers,
  };
}

async function answer(request) {
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /charges') return { status: 200, body: summary() };
  if (route !== 'POST /charges') return { status: 404, body: { error: 'not_found' } };
  const created = await createCharge(request);
  await delay(Number(LATENCY_MS));
  answers[created.status] = (answers[created.status] ?? 0) + 1;
  return created;
}

const server = createServer(async (request, response) => {
  const { status, headers, body } = await answer(request).catch(() => ({
    status: 400,
    body: { error: 'no_json' },
  }));
  response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
});

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`payments  http://127.0.0.1:${server.address().port}`);
});
