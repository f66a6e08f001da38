import { helpersCode } from './helpers.js';

/*
 * What runs in QuickJS before any script does, as text: it takes away what scripts are not to have, freezes all that is left, and gives
 * the function that runs a script for the items of a batch. Everything that it uses later is frozen by then.
 */

/** Lines of the function that QuickJS makes of a script, before the script's own first one. */
const LINES_BEFORE = 2;

/** JavaScript that evaluates to `{ run, at }`: `run(code, items, limits)` gives JSON of the outcomes, `at()` the index of the item it is at. */
export function preludeCode(): string {
  return PRELUDE.replace('LINES_BEFORE', () => String(LINES_BEFORE)).replace(
    'HELPERS',
    helpersCode,
  );
}

const PRELUDE = String.raw`(() => {
  'use strict';
  const { parse, stringify } = JSON;
  const { freeze, keys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Object;
  const { ownKeys } = Reflect;
  const compile = Function;
  const kinds = [function () {}, function* () {}, async function () {}, async function* () {}];

  // Code that is made of text could keep what it likes in the global scope.
  const refuse = function () { throw new TypeError('A calculation cannot make code of text (eval, Function).'); };
  for (const kind of kinds) {
    const prototype = getPrototypeOf(kind);
    defineProperty(prototype, 'constructor', { value: refuse, writable: false, configurable: false });
  }
  for (const name of ['eval', 'Function', 'WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics', 'escape', 'unescape'])
    delete globalThis[name];

  // Frozen, these would be in the way of objects that inherit from them: an assignment is to make a member of their own.
  const assignable = (prototype, names) => {
    for (const name of names) {
      const { value, enumerable } = getOwnPropertyDescriptor(prototype, name) ?? {};
      if (value === undefined) continue;
      defineProperty(prototype, name, {
        enumerable,
        configurable: false,
        get: freeze(() => value),
        set: freeze(function (own) {
          if (this === prototype) throw new TypeError('Cannot change ' + name);
          defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true });
        }),
      });
    }
  };
  assignable(Object.prototype, ['toString', 'valueOf', 'toLocaleString', 'hasOwnProperty']);
  for (const error of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError])
    assignable(error.prototype, ['name', 'message', 'toString']);
  assignable(Array.prototype, ['toString']);

  const short = (text, most) => (text.length <= most ? text : text.slice(0, most) + '…');

  const kindOf = (value) =>
    value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : 'a ' + typeof value;

  /** JSON of what a script gives; what JSON would leave out or change is an error that says where it is. */
  const jsonOf = (value) =>
    value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value) ? stringify(value) : stringify(value, function (key, member) {
      const where = key === '' ? 'The value' : 'Member ' + stringify(short(key, 80)) + ' of the value';
      if (typeof member === 'number' && !Number.isFinite(member)) throw new TypeError(where + ' is ' + String(member) + ', which is no value. Give null where there is none.');
      if (typeof member === 'function' || typeof member === 'symbol' || typeof member === 'bigint') throw new TypeError(where + ' is ' + kindOf(member) + ', which cannot be kept.');
      if (member === undefined && Array.isArray(this)) throw new TypeError(where + ' is undefined. Give null where there is none.');
      return member;
    });

  const KNOWN = freeze(['value', 'confidence', 'justification', 'meta']);

  /** JSON of the parts of an outcome. */
  const outcome = (given) => {
    if (given === undefined) throw new TypeError('The calculation gives nothing: end it with return.');
    if (typeof given === 'object' && given !== null && typeof given.then === 'function')
      throw new TypeError('The calculation gives a promise: calculations are synchronous.');
    if (typeof given !== 'object' || given === null || Array.isArray(given) || given instanceof Date)
      return '"value":' + jsonOf(given) + ',"confidence":1,"justification":null,"meta":{}';
    const names = keys(given);
    if (!names.includes('value')) throw new TypeError('The calculation gives an object without value; it has ' + (names.length === 0 ? 'nothing' : short(names.join(', '), 200)) + '. Give { value, confidence, justification }, or the value by itself.');
    const other = names.find((name) => !KNOWN.includes(name));
    if (other !== undefined) throw new TypeError('The calculation gives ' + stringify(short(other, 80)) + '; there are value, confidence, justification and meta.');
    const { value, confidence = 1, justification = null, meta = {} } = given;
    if (value === undefined) throw new TypeError('value is undefined. Give null where there is none.');
    if (confidence !== null && !(typeof confidence === 'number' && confidence >= 0 && confidence <= 1)) throw new RangeError('confidence is a number from 0 to 1, or null; it is ' + short(String(confidence), 80) + '.');
    if (justification !== null && typeof justification !== 'string') throw new TypeError('justification is a text, or null; it is ' + kindOf(justification) + '.');
    if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) throw new TypeError('meta is an object; it is ' + kindOf(meta) + '.');
    return '"value":' + jsonOf(value) + ',"confidence":' + stringify(confidence) + ',"justification":' + stringify(justification) + ',"meta":' + jsonOf(meta);
  };

  const attempt = (act, otherwise) => {
    try { return act(); } catch { return otherwise; }
  };

  const textOf = (value) => {
    if (typeof value === 'string') return value;
    if (typeof value !== 'object' || value === null) return String(value);
    if (value instanceof Error) return String(value.name) + ': ' + String(value.message);
    return stringify(value) ?? String(value);
  };

  // Errors of QuickJS itself that end the batch: closing an iterator makes of one that cannot be caught one that can.
  const ENDING = freeze(['out of memory', 'interrupted']);

  const problem = (thrown) => {
    const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
    const name = attempt(() => (isObject ? String(thrown.name ?? 'Error') : typeof thrown), 'Error');
    const message = attempt(() => (isObject ? String(thrown.message ?? '') : String(thrown)), '');
    if (ENDING.includes(message) && attempt(() => thrown instanceof InternalError, false)) throw thrown;
    const told = message === '' ? 'It was thrown without a message.' : short(message, 1000);
    const stack = attempt(() => (isObject ? String(thrown.stack ?? '') : ''), '');
    // Innermost first: the first line of the script itself is where it is.
    const found = /<input>:(\d+)/.exec(stack);
    const line = found === null ? null : Number(found[1]) - LINES_BEFORE;
    return '"name":' + stringify(short(name, 100)) + ',"message":' + stringify(told) + ',"line":' + stringify(line);
  };

  // Of the item that the script is run for. The script has the same functions for each: they keep nothing.
  let index = -1;
  let inputs = {};
  let logs = [];
  let limits = {};

  const $input = (name) => {
    if (Object.hasOwn(inputs, name)) return inputs[name];
    throw new ReferenceError('There is no input ' + stringify(short(String(name), 80)) + '; there are ' + (keys(inputs).join(', ') || 'none') + '.');
  };
  const write = (...parts) => {
    const { logLines, logCharacters } = limits;
    if (logs.length > logLines) return;
    logs.push(logs.length === logLines ? '… and more' : short(parts.map((part) => attempt(() => textOf(part), '(no text)')).join(' '), logCharacters));
  };
  const console = { log: write, info: write, warn: write, error: write, debug: write };

  const run = (code, text, given) => {
    limits = given;
    const items = parse(text);
    const script = compile('$json', '$input', '$value', '$meta', '$helpers', 'console', '"use strict";' + code);
    // QuickJS has it find itself by the name "anonymous": it would keep what one item puts there.
    freeze(freeze(script).prototype);
    let outcomes = '';
    for (index = 0; index < items.length; index += 1) {
      const item = items[index];
      inputs = item.inputs;
      logs = [];
      let result;
      try {
        result = '{"kind":"ok",' + outcome(script(inputs, $input, item.value, item.meta, $helpers, console));
      } catch (error) {
        result = '{"kind":"error",' + problem(error);
      }
      outcomes += (index === 0 ? '' : ',') + result + (logs.length === 0 ? ',"logs":[]}' : ',"logs":' + stringify(logs) + '}');
      if (outcomes.length > limits.outputCharacters) throw new RangeError('output');
    }
    return '[' + outcomes + ']';
  };

  const $helpers = HELPERS;

  // Their prototypes have no names: only what syntax and functions give leads to them.
  const iterators = [[].values(), new Map().values(), new Set().values(), ''[Symbol.iterator](), ''.matchAll(/a/g), [].values().map(() => 0), Iterator.from({ next() {} }), Iterator.concat()];

  const seen = new Set();
  const todo = [globalThis, $helpers, $input, console, ...kinds, ...iterators];
  while (todo.length > 0) {
    const one = todo.pop();
    if (one === null || (typeof one !== 'object' && typeof one !== 'function') || seen.has(one)) continue;
    seen.add(one);
    todo.push(getPrototypeOf(one));
    for (const key of ownKeys(one)) {
      const { value, get, set } = getOwnPropertyDescriptor(one, key);
      todo.push(value, get, set);
    }
  }
  for (const one of seen) freeze(one);
  return { run, at: () => index };
})()`;
