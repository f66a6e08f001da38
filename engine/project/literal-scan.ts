/**
 * Finds members of object and array literals in the text of a TypeScript or JavaScript file, without a parser: strings,
 * templates, comments, regular expressions and brackets are told apart, everything else is passed over. Made for the
 * places of messages: where the text is of another form, nothing is found.
 */

/** A member of an object literal: where its name is, and where its value begins (the name again, where it has none). */
export interface FoundMember {
  readonly name: number;
  readonly value: number;
}

const NAME =
  /(?:(?:async|get|set)\s+(?=[\w$'"]))?(?:([A-Za-z_$][\w$]*)|'([^'\\\n]*)'|"([^"\\\n]*)")/y;
const CALL = /[\w$.]+\s*\(/y;
const BLANK = /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
/** A slash after one of these begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:[(,=:[!&|?{};+\-*%<>~^]|\breturn|\btypeof)\s*$/;
const REGEX = /\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//y;
/** How far back is looked for what stands before a slash. */
const LOOK_BACK = 20;

const OPENING = '([{';
const CLOSING = ')]}';

/** Where the object literal begins that a call gets as its first argument, given the place of the call. */
export function argumentAt(text: string, call: number): number | undefined {
  const open = text.indexOf('(', call);
  return open < 0 ? undefined : objectAt(text, open + 1);
}

/** The member of that name of an object literal, or of the first argument of a call such as `z.object({ … })`. */
export function memberAt(text: string, start: number, name: string): FoundMember | undefined {
  const object = objectAt(text, start) ?? objectAt(text, endOf(CALL, text, start));
  if (object === undefined) return undefined;
  for (const at of partsOf(text, object)) {
    NAME.lastIndex = at;
    const match = NAME.exec(text);
    if (match === null || (match[1] ?? match[2] ?? match[3]) !== name) continue;
    const colon = endOf(BLANK, text, NAME.lastIndex);
    return { name: at, value: text[colon] === ':' ? endOf(BLANK, text, colon + 1) : at };
  }
  return undefined;
}

/** Where an item of an array literal begins. Undefined also where what is before it may stand for several. */
export function itemAt(text: string, start: number, index: number): number | undefined {
  if (text[start] !== '[') return undefined;
  const items = partsOf(text, start);
  const before = items.slice(0, index + 1);
  return before.some((at) => text.startsWith('...', at)) ? undefined : items[index];
}

function objectAt(text: string, from: number): number | undefined {
  const start = endOf(BLANK, text, from);
  return text[start] === '{' ? start : undefined;
}

/** Where the parts between the commas of a literal begin. */
function partsOf(text: string, open: number): readonly number[] {
  const parts: number[] = [];
  for (let at = endOf(BLANK, text, open + 1); at < text.length;) {
    if (CLOSING.includes(text[at] ?? '')) break;
    parts.push(at);
    const end = partEnd(text, at);
    if (text[end] !== ',') break;
    at = endOf(BLANK, text, end + 1);
  }
  return parts;
}

/** Where the comma or the closing bracket after a part is. */
function partEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at = next(text, at)) {
    const character = text[at] ?? '';
    if (OPENING.includes(character)) depth += 1;
    if (CLOSING.includes(character) && --depth < 0) return at;
    if (character === ',' && depth === 0) return at;
  }
  return text.length;
}

/** The place behind what begins at a place: a text, a comment, a regular expression, or one character. */
function next(text: string, at: number): number {
  switch (text[at]) {
    case "'":
    case '"':
      return textEnd(text, at);
    case '`':
      return templateEnd(text, at);
    case '/': {
      const blank = endOf(BLANK, text, at);
      if (blank > at) return blank;
      const before = text.slice(Math.max(0, at - LOOK_BACK), at);
      return BEFORE_REGEX.test(before) ? Math.max(at + 1, endOf(REGEX, text, at)) : at + 1;
    }
    default:
      return at + 1;
  }
}

function textEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === text[open] || text[at] === '\n') return at + 1;
  }
  return text.length;
}

function templateEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '`') return at + 1;
    else if (text.startsWith('${', at)) at = closingBracket(text, at + 2);
  }
  return text.length;
}

function closingBracket(text: string, from: number): number {
  let at = partEnd(text, from);
  while (text[at] === ',') at = partEnd(text, at + 1);
  return at;
}

/** Where the match of a sticky expression ends; the place itself where there is none. */
function endOf(expression: RegExp, text: string, from: number): number {
  expression.lastIndex = from;
  return expression.test(text) ? expression.lastIndex : from;
}
