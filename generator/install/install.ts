import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { packageIn } from '../../engine/project/package-file.js';
import { configFiles, isDirectory } from '../../engine/project/project-files.js';
import { isPlainObject } from '../../src/definition/json.js';
import { findTemplate } from '../generate.js';
import { findPlugins, OWN_PLUGIN } from '../plugin/search.js';
import {
  plannedChanges,
  writeChanges,
  type FileChange,
  type GeneratedFile,
} from '../project/changes.js';
import { newProjectFacts, type ProjectFacts } from '../project/facts.js';
import { GenerationRefused } from '../refusal.js';
import { renderTemplate } from '../template/render.js';
import { amendedIgnores } from './ignored-files.js';
import { mountInKoaApp } from './koa-app.js';
import { amendedPackage } from './package-manifest.js';

/** How a project is set up. */
export interface InstallOptions {
  /** Serve every definition, also by the routes for asynchronous runs and streams. */
  readonly async?: boolean;
}

/** What setting up a project would do. */
export interface InstallPlan {
  /** The project's folder, without symbolic links. */
  readonly dir: string;
  readonly changes: readonly FileChange[];
  /** What a person has to know or do besides. */
  readonly notes: readonly string[];
}

/**
 * Finds out what a folder lacks to be a project: configuration, TypeScript's settings, scripts and packages, an example with its test,
 * and the routes in a Koa app, where there is one. Nothing is written.
 *
 * @throws {@link GenerationRefused} where it cannot be one
 */
export async function planInstall(
  folder: string,
  { async = false }: InstallOptions = {},
): Promise<InstallPlan> {
  if (!isDirectory(folder))
    throw new GenerationRefused([{ message: `There is no folder ${folder}.` }]);
  const dir = await realpath(folder);
  const facts = newProjectFacts(dir);
  const packageText = textOf(dir, 'package.json');
  const hasCode = hasOwnCode(dir);
  const amended = amendedPackage(packageText, {
    name: facts.name,
    runner: facts.test_runner,
    hasCode: packageText !== undefined && hasCode,
  });
  if (amended === undefined)
    throw new GenerationRefused([
      { site: { file: 'package.json' }, message: 'it is no JSON object. Mend it first.' },
    ]);
  const isModule = isModulePackage(amended);
  const mount = packageIn(dir)?.packages.includes('koa')
    ? mountInKoaApp(dir, { isModule, async })
    : { files: [] };
  const files: readonly GeneratedFile[] = [
    { path: 'package.json', text: amended, amends: true },
    { path: '.gitignore', text: amendedIgnores(textOf(dir, '.gitignore')), amends: true },
    ...(await templateFiles(dir, facts, async)),
    ...mount.files,
  ];
  const notes = [
    ...(isModule ? [] : [COMMON_JS]),
    ...(mount.note === undefined ? [] : [mount.note]),
    ...(async && files.some((file) => isOff(dir, file)) ? [STILL_OFF] : []),
  ];
  return { dir, changes: plannedChanges(dir, files), notes };
}

const SERVER_TOML = 'config/millrace/base/server.toml';

/** Whether the file that turns on all routes is another one, which is kept, and leaves them off. */
function isOff(dir: string, { path, amends }: GeneratedFile): boolean {
  const there = path === SERVER_TOML && amends !== true ? textOf(dir, path) : undefined;
  return there !== undefined && !/^\s*catch_all_routes\s*=\s*true\b/m.test(there);
}

const STILL_OFF = `${SERVER_TOML} is your own, and is kept: write catch_all_routes = true there for the routes of --async.`;

/** Makes the folder of a project, where there is none yet. @throws {@link GenerationRefused} where a file is in its place */
export async function makeProjectFolder(folder: string): Promise<void> {
  if (existsSync(folder) && !isDirectory(folder))
    throw new GenerationRefused([{ message: `${folder} is a file, and no folder.` }]);
  await mkdir(folder, { recursive: true });
}

/** Writes what a plan says. Files that are there and differ are kept, but for `force`. */
export async function applyInstall(
  { dir, changes }: InstallPlan,
  { force = false }: { readonly force?: boolean } = {},
): Promise<void> {
  await writeChanges(dir, changes, { force });
}

const COMMON_JS =
  'package.json does not say "type": "module", and the project has code already. What Millrace generates are ES modules: add it when your code is ready for that.';

async function templateFiles(
  dir: string,
  project: ProjectFacts,
  async: boolean,
): Promise<readonly GeneratedFile[]> {
  const { template } = findTemplate(findPlugins(dir), 'project', OWN_PLUGIN);
  const example = !hasDefinitions(dir);
  const rendered = (isAsync: boolean): Promise<readonly GeneratedFile[]> =>
    renderTemplate(template, {
      values: { ...(isAsync && { async: 'true' }), ...(example && { example: 'true' }) },
      project,
    });
  const files = withoutLoss(dir, await rendered(async), await rendered(!async), async);
  return files.filter(({ path }) => isWanted(dir, path, example));
}

/**
 * A project that was set up the other way, and was not changed since: `--async` turns its routes on, and where it is not said again, they
 * stay on.
 */
function withoutLoss(
  dir: string,
  files: readonly GeneratedFile[],
  others: readonly GeneratedFile[],
  async: boolean,
): readonly GeneratedFile[] {
  return files.map((file, at) => {
    const other = others[at]?.text;
    if (other === undefined || other === file.text || textOf(dir, file.path) !== other) return file;
    return async ? { ...file, amends: true } : { ...file, text: other };
  });
}

/** Files of the example, by which it is known again. */
const EXAMPLE: readonly string[] = [
  'operations/reading-time.ts',
  'pipelines/article.yml',
  'test/article.test.ts',
];

/** Whether people have their own definitions already, and need no example. */
function hasDefinitions(dir: string): boolean {
  if (EXAMPLE.some((path) => existsSync(join(dir, path)))) return false;
  return ['operations', 'pipelines'].some((folder) => filesIn(dir, folder).length > 0);
}

function isWanted(dir: string, path: string, example: boolean): boolean {
  if (EXAMPLE.includes(path)) return example;
  // People have their own settings of TypeScript, and one configuration in code.
  if (path === 'tsconfig.json') return !existsSync(join(dir, path));
  if (path === 'millrace.config.ts')
    return configFiles(dir).length === 0 || existsSync(join(dir, path));
  const [folder = '', name] = path.split('/');
  return name !== '.gitkeep' || !existsSync(join(dir, folder)) || existsSync(join(dir, path));
}

function filesIn(dir: string, folder: string): readonly string[] {
  const path = join(dir, folder);
  return isDirectory(path) ? readdirSync(path).filter((name) => !name.startsWith('.')) : [];
}

/** Code that was there before Millrace, in the project's folder or in those that are usual. */
function hasOwnCode(dir: string): boolean {
  return ['', 'src', 'app', 'server', 'lib'].some((folder) =>
    filesIn(dir, folder).some(
      (name) => /\.[cm]?[jt]sx?$/.test(name) && !/^millrace\.config\./.test(name),
    ),
  );
}

function isModulePackage(text: string): boolean {
  const manifest: unknown = JSON.parse(text);
  return isPlainObject(manifest) && manifest['type'] === 'module';
}

function textOf(dir: string, name: string): string | undefined {
  const file = join(dir, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
