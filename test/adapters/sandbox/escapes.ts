/** A script, and what has to come of it. */
export interface Attempt {
  readonly name: string;
  readonly code: string;
  /** A value, `/message/` of the item's error, or the reason for which the whole batch is lost. */
  readonly gives:
    | { readonly value: unknown }
    | { readonly error: RegExp }
    | { readonly lost: string }
    | { readonly fails: true };
}

const value = (given: unknown) => ({ value: given });
const error = (message: RegExp) => ({ error: message });
const lost = (reason: string) => ({ lost: reason });
/** An error of the item or of the batch: which one depends on how quick the machine is. */
const FAILS = { fails: true } as const;

const NAMES = [
  'require',
  'process',
  'module',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Buffer',
  'XMLHttpRequest',
  'WebAssembly',
  'SharedArrayBuffer',
  'Atomics',
  'WeakRef',
  'FinalizationRegistry',
  'eval',
  'Function',
  'std',
  'os',
  'Worker',
];

/** Ways to reach what is outside. */
export const REACHING: readonly Attempt[] = [
  ...NAMES.map((name) => ({
    name: `asks for ${name}`,
    code: `return typeof ${name};`,
    gives: value('undefined'),
  })),
  {
    name: 'looks for the host behind a constructor of functions',
    code: 'return (() => 1).constructor("return 1")();',
    gives: error(/cannot make code of text/),
  },
  {
    name: 'makes a generator of text',
    code: 'return (function* () {}).constructor("yield 1")().next().value;',
    gives: error(/cannot make code of text/),
  },
  {
    name: 'makes an asynchronous function of text',
    code: 'return (async () => 1).constructor("return 1");',
    gives: error(/cannot make code of text/),
  },
  {
    name: 'makes an asynchronous generator of text',
    code: 'return (async function* () {}).constructor("1");',
    gives: error(/cannot make code of text/),
  },
  {
    name: 'goes through the constructor of a helper',
    code: 'return $helpers.round.constructor("return globalThis")();',
    gives: error(/cannot make code of text/),
  },
  {
    name: 'goes through the constructor of console.log',
    code: 'return console.log.constructor.constructor("return 1")();',
    gives: error(/cannot make code of text/),
  },
  {
    name: 'asks who has called it',
    code: 'return arguments.callee.caller;',
    gives: error(/./),
  },
  {
    name: 'looks at the global object for anything of the host',
    code: `return Object.getOwnPropertyNames(globalThis).filter((name) => /node|process|require|host|worker|millrace/i.test(name));`,
    gives: value([]),
  },
  {
    name: 'reads names of files in a stack',
    code: `try { null.x } catch (error) { return /node_modules|\\/home|\\/work|worker/.test(String(error.stack)); }`,
    gives: value(false),
  },
  {
    name: 'imports a module',
    code: 'return import("node:fs");',
    gives: error(/promise/),
  },
];

/** Ways to have the next entity find something. Each is run for two entities; what the second one gives counts. */
export const LEAVING: readonly Attempt[] = [
  {
    name: 'sets a global',
    code: 'try { globalThis.kept ??= $json.n; } catch {} return globalThis.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'sets an undeclared variable',
    code: 'kept = $json.n; return kept;',
    gives: error(/kept/),
  },
  {
    name: 'changes a prototype of objects',
    code: 'try { Object.prototype.kept = $json.n; } catch {} return ({}).kept ?? null;',
    gives: value(null),
  },
  {
    name: 'changes a prototype of lists',
    code: 'try { Array.prototype.push = () => $json.n; } catch {} return [].push(1);',
    gives: value(1),
  },
  {
    name: 'changes a method by defineProperty',
    code: 'try { Object.defineProperty(Array.prototype.map, "name", { value: $json.n }); } catch {} return [].map.name;',
    gives: value('map'),
  },
  {
    name: 'marks a function',
    code: 'try { Math.max.kept = $json.n; } catch {} return Math.max.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'marks a helper',
    code: 'try { $helpers.round.kept = $json.n; } catch {} return $helpers.round.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'replaces a helper',
    code: 'try { $helpers.round = () => $json.n; } catch {} return $helpers.round(1.6);',
    gives: value(2),
  },
  {
    name: 'marks console',
    code: 'try { console.kept = $json.n; } catch {} return console.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'marks $input',
    code: 'try { $input.kept = $json.n; } catch {} return $input.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'replaces JSON',
    code: 'try { JSON.stringify = () => "1"; } catch {} return "own";',
    gives: value('own'),
  },
  {
    name: 'replaces what makes a text of an object',
    code: 'try { Object.prototype.toString = () => "kept"; } catch {} return String({});',
    gives: value('[object Object]'),
  },
  {
    name: 'changes the iterator of lists',
    code: 'try { Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true }); } catch {} return [...[1, 2]].length;',
    gives: value(2),
  },
  {
    name: 'changes the iterator of texts that match',
    code: 'try { Object.getPrototypeOf("a".matchAll(/a/g)).kept = 1; } catch {} return Object.getPrototypeOf("a".matchAll(/a/g)).kept ?? null;',
    gives: value(null),
  },
  {
    name: 'changes generators',
    code: 'const of = Object.getPrototypeOf(Object.getPrototypeOf(function* () {}.prototype)); try { of.kept = 1; } catch {} return of.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'changes promises',
    code: 'try { Promise.prototype.then = 1; } catch {} return typeof Promise.prototype.then;',
    gives: value('function'),
  },
  {
    name: 'keeps a pattern where it has stopped',
    code: 'const pattern = /a/g; const found = pattern.test("aa"); return pattern.lastIndex;',
    gives: value(1),
  },
  {
    name: 'leaves work for later',
    code: 'Promise.resolve().then(() => { globalThis.kept = $json.n; }); return typeof globalThis.kept;',
    gives: value('undefined'),
  },
  {
    name: 'closes its function and keeps a variable outside',
    code: '}, (() => { const kept = []; return function ($json) { kept.push($json.n); return kept; }; })(), function () {',
    gives: lost('script'),
  },
  {
    name: 'closes its function within a comment of HTML',
    code: 'return 0 <!--x }); (function () {',
    gives: lost('script'),
  },
  {
    name: 'hides the end of its function in a comment',
    code: 'return 1; /*',
    gives: lost('script'),
  },
  {
    name: 'ends with a comment',
    code: 'return $json.n // the end',
    gives: value(2),
  },
  {
    name: 'changes its inputs',
    code: '$json.n += 10; $json.m = 1; return $json.n + Object.keys($json).length;',
    gives: value(14),
  },
  {
    name: 'is given a member that is a prototype',
    code: 'const made = JSON.parse(\'{"__proto__": {"kept": 1}}\'); return ({}).kept ?? null;',
    gives: value(null),
  },
  {
    name: 'assigns a prototype',
    code: 'try { Object.setPrototypeOf(Object.prototype, { kept: 1 }); } catch {} return ({}).kept ?? null;',
    gives: value(null),
  },
  {
    name: 'assigns a member that is called as one of a prototype',
    code: 'const own = {}; own.toString = () => "mine"; class Mine extends Error { constructor() { super("x"); this.name = "Mine"; } } return String(own) + new Mine().name;',
    gives: value('mineMine'),
  },
];

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
