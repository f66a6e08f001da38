import { z } from 'zod';
import type { PropertyTypes } from './contract.js';
import type { Side } from './json-schema.js';

/** A type in a contract whose values JSON cannot carry. */
export interface UnfitType {
  /** The property, and the way to the type: `records[].when`. */
  readonly path: string;
  /** How it is written: `z.date()`. */
  readonly type: string;
  /** What to write instead, as a sentence. */
  readonly fix: string;
}

const FIXES: Readonly<Record<string, { readonly given: string; readonly kept: string }>> = {
  date: {
    given: 'Write z.iso.datetime() for a text, or z.coerce.date() for a Date made of it.',
    kept: 'Write z.iso.datetime() and return date.toISOString().',
  },
  bigint: {
    given: 'Write z.int(), or z.coerce.bigint() for a bigint made of a text.',
    kept: 'Write z.int(), or z.string() and return a text.',
  },
  map: both('Write z.record(z.string(), …).'),
  set: both('Write z.array(…).'),
  symbol: both('Write z.string() or z.enum([…]).'),
  function: both('Take it out: code belongs into operations and services.'),
  nan: both('Write z.number().nullable().'),
  file: both("Write z.string() for the file's name or its text."),
  promise: both('Write the type of what it resolves to.'),
};

function both(fix: string): { readonly given: string; readonly kept: string } {
  return { given: fix, kept: fix };
}

/**
 * The types in a contract whose values JSON cannot carry, on the side that counts: what may be given (`input`), where
 * such a type may be made of JSON by coercion or a transform; or what comes out of it and is kept (`output`). A type that
 * is one of several alternatives is no mistake in what is given: another one may fit.
 */
export function unfitTypes(properties: PropertyTypes, side: Side): readonly UnfitType[] {
  const found = new Map<string, UnfitType>();
  const transformed: string[] = [];
  const note = (path: Path, type: string, fix: string): void => {
    if (side === 'input' && path.includes('anyOf')) return;
    found.set(JSON.stringify(path), { path: shownPath(path), type, fix });
  };
  z.toJSONSchema(z.object(properties), {
    io: side,
    unrepresentable: 'any',
    override: ({ zodSchema, path }) => {
      const { def } = zodSchema._zod;
      if (def.type === 'pipe' && def.in._zod.def.type === 'transform')
        transformed.push(JSON.stringify(path).slice(0, -1));
      if (def.type === 'literal' && def.values.some((value) => typeof value === 'bigint'))
        note(path, 'z.literal() of a bigint', FIXES['bigint']?.kept ?? '');
      const coerced = side === 'input' && 'coerce' in def && def.coerce;
      const fix = coerced ? undefined : FIXES[def.type];
      if (fix !== undefined) note(path, `z.${def.type}()`, side === 'input' ? fix.given : fix.kept);
    },
  });
  const isMade = (place: string): boolean => transformed.some((start) => place.startsWith(start));
  return [...found]
    .filter(([place]) => side === 'output' || !isMade(place))
    .map(([, unfit]) => unfit);
}

/** A place in a JSON Schema: `['properties', 'records', 'items']`. */
type Path = readonly (string | number)[];

/** Keywords of a JSON Schema that lead to a value of the same place. */
const ALTERNATIVES = ['anyOf', 'oneOf', 'allOf'];

function shownPath(path: Path): string {
  let shown = '';
  for (let at = 0; at < path.length; at += 1) {
    const keyword = path[at];
    const next = String(path[at + 1] ?? '');
    if (keyword === 'properties') shown += shown === '' ? next : `.${next}`;
    if (keyword === 'prefixItems') shown += `[${next}]`;
    if (keyword === 'items' || keyword === 'additionalProperties') shown += '[]';
    const named = ['properties', 'prefixItems', ...ALTERNATIVES].includes(String(keyword));
    if (named) at += 1;
  }
  return shown;
}
