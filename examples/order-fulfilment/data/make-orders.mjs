/**
 * Makes `orders.csv`: `node data/make-orders.mjs > data/orders.csv`. It makes the same file each time; nobody in it is real.
 */
const ROWS = 1_200;

const CUSTOMERS = [
  'Ada Berg',
  'Bäckerei Sommer',
  'Castellano, Ruiz y Cía.',
  'Dubois & Fils',
  'Ewa Nowak',
  'Fonseca, Lda.',
  'Grete "Gretl" Huber',
  'Hansen & Sønn',
  'Iris van Dam',
  'Kovács Bt.',
];
const COUNTRIES = ['AT', 'DE', 'DK', 'ES', 'FR', 'HU', 'NL', 'PL', 'PT', 'SE'];
const PRICES = ['4.90', '9.90', '14.50', '24.00', '39.95', '89.00', '149.00', '249.00'];

/** Rows that are no orders, each in its own way, by their number. */
const WRONG = {
  57: { order_id: '57' },
  131: { placed_on: '2026-02-30' },
  202: { customer: '' },
  318: { country: 'Germany' },
  433: { quantity: '0' },
  434: { quantity: '-2' },
  590: { quantity: 'two' },
  671: { unit_price: '' },
  702: { unit_price: '12,50' },
  815: { currency: 'USD' },
  999: { card: '' },
};

/** Amounts right below, at and right above where medium (100.00) and large (1,000.00) orders begin. */
const AT_THE_LIMITS = {
  11: '99.99',
  12: '100.00',
  13: '100.01',
  211: '999.99',
  212: '1000.00',
  213: '1000.01',
};

/** Cards that the payment service does not charge at once. */
function cardOf(number) {
  if (number % 97 === 0) return 'card_declined';
  if (number % 151 === 0) return 'card_busy';
  if (number % 173 === 0) return 'card_flaky';
  return `card_${String(1000 + ((number * 7919) % 9000))}`;
}

/** A linear congruential generator (Numerical Recipes), so that each run makes the same. */
let state = 20260301;
function oneOf(list) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return list[Math.floor((state / 2 ** 32) * list.length)];
}

function orderOf(number) {
  const day = String(1 + Math.floor(((number - 1) / ROWS) * 28)).padStart(2, '0');
  const order = {
    order_id: `O-${String(number)}`,
    placed_on: `2026-02-${day}`,
    customer: oneOf(CUSTOMERS),
    country: oneOf(COUNTRIES),
    quantity: String(oneOf([1, 1, 1, 2, 2, 3, 4, 6])),
    unit_price: oneOf(PRICES),
    currency: 'EUR',
    card: cardOf(number),
  };
  const amount = AT_THE_LIMITS[number];
  const atTheLimit = amount === undefined ? {} : { quantity: '1', unit_price: amount };
  return { ...order, ...atTheLimit, ...WRONG[number] };
}

function field(text) {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const orders = Array.from({ length: ROWS }, (_, index) => orderOf(index + 1));
const lines = [Object.keys(orders[0]), ...orders.map((order) => Object.values(order))];
console.log(lines.map((fields) => fields.map(field).join(',')).join('\n'));
