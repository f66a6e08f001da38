import { Liquid, LiquidError, type Template as Parsed } from 'liquidjs';
import type { Problem, Site } from '../../src/definition/problem.js';
import { CASES } from './cases.js';

/** Largest template, in characters. */
const MAX_CHARACTERS = 256 * 1024;
/** Longest rendering of a template, in milliseconds. */
const RENDER_LIMIT_MS = 5_000;
/** Most that a rendering may allocate, as LiquidJS counts it. */
const MEMORY_LIMIT = 10_000_000;

/** What a template finds under a name: its parameters, and what is known of the project. */
export type Scope = Readonly<Record<string, string | null | Readonly<Record<string, string>>>>;

/** A text that was parsed, or what is wrong with it. */
export type ParsedText =
  | { readonly text: Parsed[]; readonly problem?: never }
  | { readonly problem: Problem; readonly text?: never };

/** Where a text is: a whole file, or a line of a manifest, in which its own lines mean nothing. */
export interface TextPlace {
  readonly site: Site;
  readonly isFile: boolean;
}

const engine = createLanguage();

function createLanguage(): Liquid {
  const liquid = new Liquid({
    strictFilters: true,
    strictVariables: true,
    ownPropertyOnly: true,
    parseLimit: MAX_CHARACTERS,
    renderLimit: RENDER_LIMIT_MS,
    memoryLimit: MEMORY_LIMIT,
  });
  // A template is one file: nothing of the disk can be included.
  for (const tag of ['include', 'render', 'layout', 'block'])
    Reflect.deleteProperty(liquid.tags, tag);
  for (const [name, change] of Object.entries(CASES))
    liquid.registerFilter(name, (value: unknown) => change(typeof value === 'string' ? value : ''));
  return liquid;
}

/** Parses a text with parameters. */
export function parseText(text: string, place: TextPlace): ParsedText {
  try {
    return { text: engine.parse(text) };
  } catch (error) {
    return { problem: problemOf(error, place) };
  }
}

/** A variable that a text has of others. */
export interface TextVariable {
  /** `['name']`, `['project', 'test_runner']`. */
  readonly segments: readonly string[];
  readonly site: Site;
}

/** The variables that a text has of others, each time that it names them. */
export function variablesOf(text: Parsed[], place: TextPlace): readonly TextVariable[] {
  const { globals } = engine.analyzeSync(text, { partials: false });
  return Object.values(globals)
    .flat()
    .map(({ segments, location }) => ({
      segments: segments.filter((segment) => typeof segment === 'string'),
      site: siteIn(place, location.row, location.col),
    }));
}

/** Fills in a text. */
export function renderText(
  text: Parsed[],
  scope: Scope,
  place: TextPlace,
): { readonly rendered: string } | { readonly problem: Problem } {
  try {
    return { rendered: String(engine.renderSync(text, scope)) };
  } catch (error) {
    return { problem: problemOf(error, place) };
  }
}

/** What LiquidJS says, without the place, which it adds to the text. */
function problemOf(error: unknown, place: TextPlace): Problem {
  if (!(error instanceof Error)) throw error;
  const message = `${error.message.replace(/(?:, (?:file:.*?, )?line:\d+, col:\d+)+$/, '')}.`;
  if (!LiquidError.is(error)) return { site: place.site, message };
  const [line = 1, column = 1] = error.token.getPosition();
  return { site: siteIn(place, line, column), message };
}

function siteIn({ site, isFile }: TextPlace, line: number, column: number): Site {
  return isFile ? { file: site.file, line, column } : site;
}
