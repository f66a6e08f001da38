import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, parse, resolve } from 'node:path';
import {
  codePath,
  CONFIG_OPTIONS,
  isConfigGroup,
  namesInGroup,
} from '../../src/config/config-options.js';
import { mergedConfig } from '../../src/config/merged-config.js';
import { codeName, writtenName } from '../../src/config/written-form.js';
import { isPlainObject } from '../../src/definition/json.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import { suggestion } from '../../src/definition/suggestion.js';
import { unknownName } from '../../src/definition/unknown-name.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import { isDirectory } from './project-files.js';
import { isUnset, type Environment } from './secrets.js';
import { shownPath } from './site.js';
import { readToml, type TomlFile } from './toml-file.js';
import { withVariables } from './toml-variables.js';

/** Where the files are, in a project's folder. */
export const TOML_FOLDER = 'config/millrace';

/** In that folder, a folder for each environment. */
const ENVIRONMENTS = 'environments';

/** What the files of a folder are called. All of them are read by all processes: which one says what is for people to choose. */
const FILES = ['common.toml', 'worker.toml', 'server.toml'] as const;

/** What the TOML files of a project say. */
export interface TomlConfig {
  /** By the names that code uses. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where an option is set; undefined where none of the files does. */
  readonly siteOf: (path: Path) => Site | undefined;
  /** Those that there are; absolute. */
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Reads the configuration that a project has in TOML: `base/`, and over it `environments/<MILLRACE_ENV>/`, option by option.
 *
 * @param dir - the project's folder
 */
export function readTomlConfig(dir: string, env: Environment): TomlConfig {
  const { folder, problems: wrongFolder } = tomlFolder(dir, env);
  const environment = environmentName(env);
  const problems: Problem[] = [...wrongFolder, ...misplaced(folder, dir)];
  if (environment === undefined) {
    const message = `${variableOf(env)} names a folder of environments/, and is ${JSON.stringify(env[variableOf(env)])}. Use letters, digits and . _ -.`;
    return { value: {}, siteOf: () => undefined, files: [], problems: [...problems, { message }] };
  }
  problems.push(...unknownEnvironment(folder, env, environment));
  const files: string[] = [];
  const layers: Layer[] = [];
  for (const part of ['base', join(ENVIRONMENTS, environment)]) {
    const layer = new Layer(dir, env);
    for (const name of tomlFiles(join(folder, part))) {
      const file = join(folder, part, name);
      const known = FILES.some((one) => one === name);
      if (known) files.push(file);
      if (known) layer.read(file);
      else problems.push(unread(shownPath(file, dir)));
    }
    layers.push(layer);
  }
  return {
    value: mergedConfig(layers.map(({ value }) => value)) as TomlConfig['value'],
    siteOf: (path) =>
      layers.map((layer) => layer.siteOf(path)).findLast((site) => site !== undefined),
    files,
    problems: [...problems, ...layers.flatMap((layer) => layer.problems)],
  };
}

function tomlFolder(
  dir: string,
  env: Environment,
): { readonly folder: string; readonly problems: readonly Problem[] } {
  const named = env['MILLRACE_CONFIG_PATH'];
  if (named === undefined || named === '') return { folder: join(dir, TOML_FOLDER), problems: [] };
  const folder = resolve(dir, named);
  if (isDirectory(folder)) return { folder, problems: [] };
  const message = `MILLRACE_CONFIG_PATH: there is no folder ${folder}. Name the one that base/ is in, or unset the variable.`;
  return { folder, problems: [{ message }] };
}

/** The environment that a process runs in: `MILLRACE_ENV`, else `NODE_ENV`, else `development`; undefined where that is no name. */
export function environmentName(env: Environment): string | undefined {
  const variable = variableOf(env);
  const name = isUnset(env, variable) ? 'development' : (env[variable] ?? '');
  return /^[A-Za-z0-9][\w.-]*$/.test(name) ? name : undefined;
}

function variableOf(env: Environment): 'MILLRACE_ENV' | 'NODE_ENV' {
  return isUnset(env, 'MILLRACE_ENV') ? 'NODE_ENV' : 'MILLRACE_ENV';
}

/** Environments for which many a project has nothing but its base. */
const BASE_ALONE = ['development', 'test'];

/** Who names an environment means one that has a folder, where there are any. */
function unknownEnvironment(
  folder: string,
  env: Environment,
  environment: string,
): readonly Problem[] {
  const known = foldersIn(join(folder, ENVIRONMENTS));
  const isMeant = known.length === 0 || [...known, ...BASE_ALONE].includes(environment);
  // NODE_ENV is set for other programs, and says nothing of folders.
  if (isMeant || variableOf(env) === 'NODE_ENV') return [];
  const message = `config: MILLRACE_ENV is "${environment}", which has no folder in ${ENVIRONMENTS}/: only what base/ says holds.${suggestion(environment, known)}`;
  return [{ definition: 'config', severity: 'warning', message }];
}

function foldersIn(folder: string): readonly string[] {
  return existsSync(folder)
    ? readdirSync(folder).filter((name) => isDirectory(join(folder, name)))
    : [];
}

/** Files beside the folders that they belong into. Others may be somebody else's. */
function misplaced(folder: string, dir: string): readonly Problem[] {
  const beside = tomlFiles(folder)
    .filter((name) => FILES.some((one) => one === name))
    .map((name) => ({ file: join(folder, name), place: `base/${name}` }));
  const environments = tomlFiles(join(folder, ENVIRONMENTS)).map((name) => ({
    file: join(folder, ENVIRONMENTS, name),
    place: `${ENVIRONMENTS}/${FILES.some((one) => one === name) ? '<name>' : parse(name).name}/common.toml`,
  }));
  return [...beside, ...environments].map(({ file, place }) => ({
    site: { file: shownPath(file, dir) },
    message: `nothing reads this file. Its place is ${place}.`,
  }));
}

function tomlFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter(
    (name) => name.endsWith('.toml') && !isDirectory(join(folder, name)),
  );
  const place = (name: string): number => FILES.findIndex((one) => one === name);
  return names.sort((a, b) => place(a) - place(b));
}

function unread(file: string): Problem {
  return { site: { file }, message: `nothing reads this file. There are ${FILES.join(', ')}.` };
}

/** The files of one folder: each option is in one of them. */
class Layer {
  readonly #value: Record<string, unknown> = {};
  readonly #problems: Problem[] = [];
  /** By the paths of options, and of what is in their lists and tables. */
  readonly #sites = new Map<string, Site>();

  constructor(
    private readonly dir: string,
    private readonly env: Environment,
  ) {}

  get value(): unknown {
    return this.#value;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Where an option is set, or the nearest thing to what is wrong in it. */
  siteOf(path: Path): Site | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const site = this.#sites.get(path.slice(0, length).join('.'));
      if (site !== undefined) return site;
    }
    return undefined;
  }

  read(file: string): void {
    const shown = shownPath(file, this.dir);
    const { toml, problems } = readToml(shown, readFileSync(file, 'utf8'));
    this.#problems.push(...problems);
    if (toml !== undefined) this.#takeGroup(toml, toml.value, [], this.#value);
  }

  #takeGroup(
    toml: TomlFile,
    table: Readonly<Record<string, unknown>>,
    written: readonly string[],
    into: Record<string, unknown>,
  ): void {
    const group = codePath(written);
    for (const [key, value] of Object.entries(table)) {
      const place = [...written, key];
      const path = codePath(place);
      const name = String(path.at(-1));
      if (isConfigGroup(path)) {
        this.#takeInner(toml, value, place, into);
        continue;
      }
      const option = CONFIG_OPTIONS.get(path.join('.'));
      if (option === undefined || key !== writtenName(name)) {
        const known = namesInGroup(group).map(writtenName);
        const inGroup = written.length === 0 ? '' : `${written.join('.')}: `;
        this.#wrong(toml.locate(place), `${inGroup}${unknownName(key, known, 'option')}`);
      } else if (option.isCode) {
        this.#wrong(
          toml.locate(place),
          `${place.join('.')} is code: set ${path.join('.')} in millrace.config.ts.`,
        );
      } else this.#set(toml, place, value, into);
    }
  }

  #takeInner(
    toml: TomlFile,
    value: unknown,
    place: readonly string[],
    into: Record<string, unknown>,
  ): void {
    const name = String(codePath(place).at(-1));
    if (!isPlainObject(value)) {
      this.#wrong(toml.locate(place), `${place.join('.')} is a table: write [${place.join('.')}].`);
      return;
    }
    const known = into[name];
    const inner: Record<string, unknown> = isPlainObject(known) ? { ...known } : {};
    into[name] = inner;
    this.#takeGroup(toml, value, place, inner);
  }

  #set(
    toml: TomlFile,
    place: readonly string[],
    value: unknown,
    into: Record<string, unknown>,
  ): void {
    const path = codePath(place);
    const site = toml.locate(place);
    const other = this.#sites.get(path.join('.'));
    if (other !== undefined) {
      const where = `${other.file}:${String(other.line ?? 1)}`;
      this.#wrong(site, `${place.join('.')} is set in ${where}, too. Keep one of them.`);
      return;
    }
    const named = inCode(value, place, (inner) => {
      this.#sites.set(codePath(inner).join('.'), toml.locate(inner));
    });
    const { value: known, problems } = withVariables(named, path, this.env);
    for (const { path: inner, message } of problems)
      this.#wrong(this.siteOf(inner) ?? site, `${place.join('.')}: ${message}`);
    if (known !== undefined) into[String(path.at(-1))] = known;
  }

  #wrong(site: Site, message: string): void {
    this.#problems.push({ site, definition: 'config', message: `config: ${message}` });
  }
}

/** A value with the names that code uses: `deployment_name` in a table is `deploymentName`. */
function inCode(value: unknown, place: Path, visit: (place: Path) => void): unknown {
  visit(place);
  if (Array.isArray(value)) return value.map((item, at) => inCode(item, [...place, at], visit));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      codeName(key),
      inCode(member, [...place, key], visit),
    ]),
  );
}
