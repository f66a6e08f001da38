import { ParseError, parseTOML, type AST } from 'toml-eslint-parser';
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
    const { value, sites } = new Reading(file).read(program);
    const locate = (path: Path): Site => {
      for (let length = path.length; length > 0; length -= 1) {
        const site = sites.get(keyOf(path.slice(0, length)));
        if (site !== undefined) return site;
      }
      return { file };
    };
    return { toml: { value, locate }, problems: [] };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const site = { file, line: error.lineNumber, column: error.column + 1 };
    return { problems: [{ site, message: `not valid TOML: ${error.message}.` }] };
  }
}

/** A table while it is read. Any key may be in one, `__proto__` as well, which an object would take for something else. */
type Table = Map<string, unknown>;

class Reading {
  readonly #root: Table = new Map();
  readonly #sites = new Map<string, Site>();

  constructor(private readonly file: string) {}

  read(program: AST.TOMLProgram): {
    readonly value: TomlFile['value'];
    readonly sites: ReadonlyMap<string, Site>;
  } {
    for (const node of program.body[0].body) {
      if (node.type === 'TOMLKeyValue') {
        this.#takePair(this.#root, [], node);
        continue;
      }
      const { resolvedKey: path, key, body } = node;
      for (const at of path.keys()) this.#put(path.slice(0, at + 1), key);
      const table = tableAt(this.#root, path);
      for (const pair of body) this.#takePair(table, path, pair);
    }
    // Its tables are objects now, with whatever keys as properties of their own.
    return { value: plain(this.#root) as TomlFile['value'], sites: this.#sites };
  }

  #put(path: Path, { loc }: AST.TOMLNode): void {
    const key = keyOf(path);
    const { line, column } = loc.start;
    if (!this.#sites.has(key)) this.#sites.set(key, { file: this.file, line, column: column + 1 });
  }

  #takePair(table: Table, path: Path, { key, value }: AST.TOMLKeyValue): void {
    const names = key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value));
    for (const [at, part] of key.keys.entries())
      this.#put([...path, ...names.slice(0, at + 1)], part);
    const inner = tableAt(table, names.slice(0, -1));
    inner.set(names.at(-1) ?? '', this.#valueOf([...path, ...names], value));
  }

  #valueOf(path: Path, node: AST.TOMLContentNode): unknown {
    switch (node.type) {
      case 'TOMLInlineTable': {
        const table: Table = new Map();
        for (const pair of node.body) this.#takePair(table, path, pair);
        return table;
      }
      case 'TOMLArray':
        return node.elements.map((element, at) => {
          this.#put([...path, at], element);
          return this.#valueOf([...path, at], element);
        });
      case 'TOMLValue':
        return node.value;
    }
  }
}

/** The table at a path, in which numbers are places in lists of tables; made where there is none. */
function tableAt(root: Table, path: Path): Table {
  let table = root;
  for (const [at, part] of path.entries()) {
    if (typeof part === 'number') continue;
    const place = path[at + 1];
    const known = table.get(part);
    if (typeof place !== 'number') {
      const inner = known instanceof Map ? (known as Table) : new Map<string, unknown>();
      table.set(part, inner);
      table = inner;
      continue;
    }
    const list = (known as Table[] | undefined) ?? [];
    const inner = list[place] ?? new Map<string, unknown>();
    list[place] = inner;
    table.set(part, list);
    table = inner;
  }
  return table;
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...(value as Table)].map(([key, member]) => [key, plain(member)]));
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}
