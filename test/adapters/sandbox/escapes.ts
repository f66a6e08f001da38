import { UNFROZEN } from './unfrozen.js';

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

export const value = (given: unknown) => ({ value: given });
export const error = (message: RegExp) => ({ error: message });
export const lost = (reason: string) => ({ lost: reason });
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
    name: 'changes the iterators that iterators give',
    code: 'const of = Object.getPrototypeOf([1].values().map((one) => one)); try { of.kept ??= $json.n; } catch {} return of.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'changes what iterators of its own are wrapped in',
    code: 'const of = Object.getPrototypeOf(Iterator.from({ next: () => ({ done: true }) })); try { of.next = () => ({ value: $json.n }); } catch {} return Iterator.from({ next: () => ({ value: 7 }) }).next().value;',
    gives: value(7),
  },
  {
    name: 'changes iterators one behind the other',
    code: 'const of = Object.getPrototypeOf(Iterator.concat([1])); try { of.kept ??= $json.n; } catch {} return of.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'marks the function that is made of it',
    code: 'try { anonymous.kept ??= $json.n; } catch {} return anonymous.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'marks the prototype of the function that is made of it',
    code: 'try { anonymous.prototype.kept ??= $json.n; } catch {} return anonymous.prototype.kept ?? null;',
    gives: value(null),
  },
  {
    name: 'looks for what can be changed behind anything that it can make or call',
    code: UNFROZEN,
    gives: value([]),
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
