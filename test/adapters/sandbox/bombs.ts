import { error, lost, value, type Attempt } from './escapes.js';

/** An error of the item or of the batch: which one depends on how quick the machine is. */
const FAILS = { fails: true } as const;

/** What takes too much. The limits are short. */
export const BOMBS: readonly Attempt[] = [
  { name: 'loops', code: 'for (;;) {}', gives: lost('timeout') },
  {
    name: 'loops and catches what ends it',
    code: 'for (;;) { try { for (;;) {} } catch {} finally { continue; } }',
    gives: lost('timeout'),
  },
  {
    name: 'loops in what makes a text of an error',
    code: 'throw { get message() { for (;;) {} } };',
    gives: lost('timeout'),
  },
  {
    name: 'loops in toJSON',
    code: 'return { value: { toJSON() { for (;;) {} } } };',
    gives: lost('timeout'),
  },
  {
    name: 'loops in a member of what it gives',
    code: 'return { get value() { for (;;) {} } };',
    gives: lost('timeout'),
  },
  {
    name: 'loops in a proxy that it gives',
    code: 'return new Proxy({}, { ownKeys() { for (;;) {} } });',
    gives: lost('timeout'),
  },
  {
    name: 'loops in what it writes',
    code: 'console.log({ toJSON() { for (;;) {} } }); return 1;',
    gives: lost('timeout'),
  },
  {
    name: 'matches a pattern without end',
    code: 'return /^(a+)+$/.test("a".repeat(40) + "b");',
    gives: lost('timeout'),
  },
  {
    name: 'sorts without end',
    code: 'return [1, 2, 3].sort(() => { for (;;) {} });',
    gives: lost('timeout'),
  },
  {
    name: 'generates without end',
    code: 'return [...(function* () { for (;;) yield 1; })()].length;',
    gives: FAILS,
  },
  {
    name: 'fills a list',
    code: 'const x = []; for (;;) x.push("y".repeat(1e5) + x.length);',
    gives: lost('memory'),
  },
  { name: 'doubles a text', code: 'let x = "y"; for (;;) x += x;', gives: FAILS },
  { name: 'repeats a text', code: 'return "y".repeat(2 ** 30).length;', gives: FAILS },
  {
    name: 'makes a long list',
    code: 'return new Array(2 ** 32 - 1).fill(0).length;',
    gives: FAILS,
  },
  {
    name: 'asks for bytes',
    code: 'return new ArrayBuffer(2 ** 31 - 1).byteLength;',
    gives: FAILS,
  },
  {
    name: 'fills a map',
    code: 'const x = new Map(); for (let n = 0; ; n += 1) x.set(n, [n, n, n]);',
    gives: FAILS,
  },
  { name: 'calls itself', code: 'const f = () => f() + 1; return f();', gives: error(/stack/i) },
  {
    name: 'calls itself in a getter',
    code: 'const x = { get y() { return this.y; } }; return x.y;',
    gives: error(/stack/i),
  },
  {
    name: 'gives what is nested too deeply',
    code: 'let x = []; for (let n = 0; n < 1e5; n += 1) x = [x]; return x;',
    gives: FAILS,
  },
  {
    name: 'parses what is nested too deeply',
    code: 'return JSON.parse("[".repeat(1e6) + "]".repeat(1e6)).length;',
    gives: FAILS,
  },
  {
    name: 'gives a circle',
    code: 'const x = {}; x.x = x; return { value: x };',
    gives: error(/circular/i),
  },
  { name: 'gives too much', code: 'return "y".repeat(2e6);', gives: lost('output') },
  {
    name: 'promises without end',
    code: 'const f = () => Promise.resolve().then(f); f(); return 1;',
    gives: value(1),
  },
  { name: 'promises', code: 'return (async () => 1)();', gives: error(/promise/) },
  {
    name: 'writes without end',
    code: 'for (let n = 0; n < 200; n += 1) console.log("x".repeat(10_000)); return 1;',
    gives: value(1),
  },
  { name: 'throws null', code: 'throw null;', gives: error(/null/) },
  { name: 'throws nothing', code: 'throw undefined;', gives: error(/undefined/) },
  {
    name: 'throws what cannot be looked at',
    code: 'throw new Proxy({}, { get() { throw 1; } });',
    gives: error(/without a message/),
  },
  {
    name: 'throws what nobody can say the kind of',
    code: 'throw new Proxy({ message: "interrupted" }, { getPrototypeOf() { throw 1; } });',
    gives: error(/^interrupted$/),
  },
  {
    name: 'throws what only looks like the end of its time',
    code: 'throw new Error("interrupted");',
    gives: error(/^interrupted$/),
  },
  {
    name: 'catches what ends it where something is closed first',
    code: 'const f = function* () { for (;;) yield 1; }; for (;;) { try { f().forEach(() => 1); } catch {} }',
    gives: lost('timeout'),
  },
  {
    name: 'throws what is no text',
    code: 'throw { message: { toString() { throw 1; } }, name: Symbol("x") };',
    gives: FAILS,
  },
  {
    name: 'compiles without end',
    code: `return ${'('.repeat(20_000)}1${')'.repeat(20_000)};`,
    gives: lost('script'),
  },
];
