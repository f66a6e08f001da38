import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import type { Problem, Site } from '../../src/definition/problem.js';
import { nearMiss } from '../../src/definition/suggestion.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import { writtenName } from '../../src/config/written-form.js';

/** Largest YAML file, in characters. A pipeline's plan may have 256 KiB. */
const MAX_CHARACTERS = 1024 * 1024;

/** Most times that what an anchor names may be repeated by aliases; some lines could otherwise fill the memory. */
const MAX_ALIASES = 100;

/** A YAML file that was read, with the way from its values to their places. */
export interface YamlFile {
  readonly value: unknown;
  /**
   * Where the value at a path is written; for one that is missing, where its nearest parent is. A path may have the
   * names that code uses (`ignoreErrors` for `ignore_errors`).
   */
  readonly locate: (path: Path) => Site;
  /** Where the last name of a path is written, rather than its value. */
  readonly locateName: (path: Path) => Site;
}

/**
 * Reads YAML.
 *
 * @param file - its path as messages show it
 */
export function readYaml(
  file: string,
  text: string,
): { readonly yaml?: YamlFile; readonly problems: readonly Problem[] } {
  if (text.length > MAX_CHARACTERS) {
    const size = `the file has ${String(text.length)} characters; the most is ${String(MAX_CHARACTERS)} (maxYaml).`;
    return { problems: [{ site: { file }, message: size }] };
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const problems = [
      ...document.errors.map((error) => syntaxProblem(file, lines, error, 'error')),
      ...document.warnings.map((warning) => syntaxProblem(file, lines, warning, 'warning')),
    ];
    problems.push(...unresolvedAliases(file, document, lines));
    if (problems.some(({ severity }) => severity === 'error')) return { problems };
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { yaml: { value, ...locators(file, document, lines) }, problems };
  } catch (error) {
    if (error instanceof ReferenceError) {
      const message = `too many aliases; together they may repeat what they name ${String(MAX_ALIASES)} times (maxAliases).`;
      return { problems: [{ site: { file }, message }] };
    }
    if (error instanceof RangeError)
      return { problems: [{ site: { file }, message: 'it is nested too deeply to be read.' }] };
    throw error;
  }
}

function syntaxProblem(
  file: string,
  lines: LineCounter,
  { message, pos }: { readonly message: string; readonly pos: readonly [number, number] },
  severity: 'error' | 'warning',
): Problem {
  return {
    site: siteAt(file, lines, pos[0]),
    message: `not valid YAML: ${message}${/[.!?]$/.test(message) ? '' : '.'}`,
    severity,
  };
}

function unresolvedAliases(
  file: string,
  document: Document,
  lines: LineCounter,
): readonly Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return;
      const message = `*${alias.source} repeats what no earlier &${alias.source} names.`;
      problems.push({
        site: siteAt(file, lines, alias.range?.[0] ?? 0),
        message,
        severity: 'error',
      });
    },
  });
  return problems;
}

function locators(
  file: string,
  document: Document,
  lines: LineCounter,
): Pick<YamlFile, 'locate' | 'locateName'> {
  const siteOf = (node: Node | null | undefined): Site =>
    siteAt(file, lines, node?.range?.[0] ?? 0);
  return {
    locate: (path) => siteOf(valueAt(document, path)),
    locateName: (path) => {
      const parent = resolved(document, valueAt(document, path.slice(0, -1)));
      const pair = pairOf(parent, path.at(-1));
      return siteOf(isScalar(pair?.key) ? pair.key : valueAt(document, path));
    },
  };
}

function siteAt(file: string, lines: LineCounter, offset: number): Site {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}

/** The node at a path, or the nearest one above it that exists. */
function valueAt(document: Document, path: Path): Node | null {
  let nearest: Node | null = document.contents;
  for (const part of path) {
    const next = member(resolved(document, nearest), part);
    if (next === undefined) return nearest;
    nearest = next;
  }
  return nearest;
}

function member(parent: Node | null | undefined, part: string | number): Node | undefined {
  // What a parsed document holds are nodes; the types allow for documents that were put together by hand.
  if (isSeq(parent) && typeof part === 'number')
    return (parent.items[part] as Node | null | undefined) ?? undefined;
  const pair = pairOf(parent, part);
  return (pair?.value as Node | null | undefined) ?? undefined;
}

function pairOf(
  parent: Node | null | undefined,
  part: string | number | undefined,
): Pair | undefined {
  if (!isMap(parent) || part === undefined) return undefined;
  const named = (name: string): Pair | undefined =>
    parent.items.find(({ key }) => isScalar(key) && String(key.value) === name);
  const name = writtenName(String(part));
  // A misspelt name is read as the one that was meant, so what is said of that one belongs here.
  const misspelt = (): Pair | undefined =>
    parent.items.find(
      ({ key }) => isScalar(key) && nearMiss(String(key.value), [name]) !== undefined,
    );
  return named(String(part)) ?? named(name) ?? misspelt();
}

function resolved(document: Document, node: Node | null): Node | null | undefined {
  return isAlias(node) ? node.resolve(document) : node;
}
