/**
 * A script that makes whatever syntax and built-in functions give, each of them twice. What leads from both to the same object is there for
 * all entities of a batch: it gives what has led to one that is not frozen.
 */
export const UNFROZEN = `
const lists = { next: () => ({ done: true, value: 1 }), [Symbol.iterator]() { return this; } };
const thrown = (act) => { try { return act(); } catch (error) { return error; } };
const make = [
  () => globalThis,
  () => anonymous,
  () => [$input, $helpers, console],
  () => Object.values($helpers).map((help) => thrown(() => help([1], 1, 1))),
  () => thrown(() => $input('none')),
  () => [[1], { a: 1 }, /a/dg, 1n, 1.5, true, 'a', Symbol.iterator].map(Object),
  () => { const tag = (texts) => texts; return tag\`a\${1}b\`; },
  () => [() => 1, function () {}, function* () {}, async () => 1, async function* () {}],
  () => class extends Array { static #own = 1; static { this.own = () => this.#own; } get one() { return 1; } },
  () => ({ get one() { return 1; }, set one(given) {}, two() { return super.two; }, async *three() {} }),
  () => function () { return arguments; }(1),
  () => function () { return new.target; },
  () => (() => 1).bind(null),
  () => { const made = function* () { yield 1; }(); return [made, made.next(), made.return(1)]; },
  () => { const made = async function* () { yield* [1]; }(); return [made, made.next(), made.return(1)]; },
  () => (async () => { for await (const one of [1]) await one; })(),
  () => import('none'),
  () => [Promise.resolve(1), Promise.all([1]), Promise.withResolvers(), Promise.try(() => 1), Promise.reject(1).finally(() => 1)],
  () => [[1].keys(), [1].values(), [1].entries(), 'a'[Symbol.iterator](), 'a'.matchAll(/a/g), new Uint8Array(1).values()],
  () => [new Map([[1, 2]]).entries(), new Set([1]).values(), Map.groupBy([1], () => 1), Object.groupBy([1], () => 1)],
  () => ['map', 'filter', 'flatMap'].map((name) => [1].values()[name]((one) => [one])),
  () => [[1].values().take(1), [1].values().drop(1), Iterator.from(lists), Iterator.from([1]), Iterator.concat([1], lists)],
  () => [/(?<a>a)/d.exec('a'), 'a-b'.split('-'), 'a'.match(/a/g), /a/[Symbol.matchAll]('a')],
  () => [new Date(0), new WeakMap(), new WeakSet(), new ArrayBuffer(8), new ArrayBuffer(8, { maxByteLength: 16 })],
  () => [new Proxy({}, {}), new Proxy(() => 1, {}), Proxy.revocable({}, {})],
  () => [Int8Array, Uint8ClampedArray, Float16Array, Float64Array, BigInt64Array].map((Kind) => new Kind(2)),
  () => new DataView(new ArrayBuffer(8)),
  () => [Error, RangeError, InternalError].map((Kind) => new Kind('x', { cause: 1 })).concat(new AggregateError([1])),
  () => [() => null.x, () => none, () => new Array(-1), () => decodeURI('%'), () => 1n + 1, () => (() => 1).caller].map(thrown),
  () => [() => JSON.parse('{'), () => new RegExp('('), () => { const f = () => f() + 1; return f(); }].map(thrown),
  () => JSON.parse('{"a":[1]}', (key, member) => member),
  () => [Object.create(null), Object.getOwnPropertyDescriptors({ a: 1 }), Object.fromEntries([[1, 2]]), Reflect.construct(Object, [], Array)],
];

const known = new Set();
const reached = (given) => {
  const found = new Set();
  const todo = [given];
  while (todo.length > 0) {
    const one = todo.pop();
    if (one === null || (typeof one !== 'object' && typeof one !== 'function')) continue;
    if (found.has(one) || known.has(one)) continue;
    found.add(one);
    todo.push(Object.getPrototypeOf(one));
    for (const key of Reflect.ownKeys(one)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(one, key);
      todo.push(value, get, set);
    }
  }
  return found;
};
const own = new Set([$json, $meta, lists, thrown, make, ...make]);
const open = [];
for (const one of make) {
  const first = reached(one());
  for (const shared of reached(one())) {
    if (!first.has(shared) || own.has(shared)) continue;
    known.add(shared);
    if (!Object.isFrozen(shared)) open.push(String(one));
  }
}
return open;`;
