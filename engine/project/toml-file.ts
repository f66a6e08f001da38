import { getStaticTOMLValue, ParseError, parseTOML, type AST } from 'toml-eslint-parser';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { Path } from '../../src/pipeline/problem-list.js';

/** Largest TOML file, in characters. */
const MAX_CHARACTERS = 256 * 1024;

/** A TOML file that was read, with the way from its values to their places. */
export interface TomlFile {
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the name at a path is written; for one that is missing, where its nearest parent is. */
  readonly locate: (path: Path) => Site;
}

/**
 * Reads TOML 1.0.
 *
 * @param file - its path as messages show it
 */
export function readToml(
  file: string,
  text: string,
): { readonly toml?: TomlFile; readonly problems: readonly Problem[] } {
  if (text.length > MAX_CHARACTERS) {
    const size = `the file has ${String(text.length)} characters; the most is ${String(MAX_CHARACTERS)} (maxToml).`;
    return { problems: [{ site: { file }, message: size }] };
  }
  try {
    // Some editors begin files with a mark of the byte order.
    const program = parseTOML(text.replace(/^\uFEFF/, ''), { tomlVersion: '1.0.0' });
    const sites = sitesOf(file, program);
    const locate = (path: Path): Site => {
      for (let length = path.length; length > 0; length -= 1) {
        const site = sites.get(keyOf(path.slice(0, length)));
        if (site !== undefined) return site;
      }
      return { file };
    };
    return { toml: { value: getStaticTOMLValue(program), locate }, problems: [] };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const site = { file, line: error.lineNumber, column: error.column + 1 };
    return { problems: [{ site, message: `not valid TOML: ${error.message}.` }] };
  }
}

function sitesOf(file: string, program: AST.TOMLProgram): ReadonlyMap<string, Site> {
  const sites = new Map<string, Site>();
  const put = (path: Path, { loc }: AST.TOMLNode): void => {
    const key = keyOf(path);
    if (!sites.has(key))
      sites.set(key, { file, line: loc.start.line, column: loc.start.column + 1 });
  };
  const takeValue = (path: Path, value: AST.TOMLContentNode): void => {
    if (value.type === 'TOMLInlineTable') for (const pair of value.body) takePair(path, pair);
    if (value.type === 'TOMLArray')
      for (const [at, element] of value.elements.entries()) {
        put([...path, at], element);
        takeValue([...path, at], element);
      }
  };
  const takePair = (path: Path, { key, value }: AST.TOMLKeyValue): void => {
    const inner = takeKey(path, key);
    takeValue(inner, value);
  };
  const takeKey = (path: Path, { keys }: AST.TOMLKey): Path => {
    const names = keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
    for (const [at, node] of keys.entries()) put([...path, ...names.slice(0, at + 1)], node);
    return [...path, ...names];
  };
  for (const node of program.body[0].body) {
    if (node.type === 'TOMLKeyValue') {
      takePair([], node);
      continue;
    }
    for (const at of node.resolvedKey.keys()) put(node.resolvedKey.slice(0, at + 1), node.key);
    for (const pair of node.body) takePair(node.resolvedKey, pair);
  }
  return sites;
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}
