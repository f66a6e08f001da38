import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** The folders of a project that are found without being named. */
export const FOLDERS = {
  operations: 'operations',
  pipelines: 'pipelines',
  workflows: 'workflows',
  activities: 'activities',
  flows: 'flows',
  connectors: 'connectors',
  records: 'records',
  modules: 'modules',
  tasks: 'tasks',
  handlers: 'handlers',
  subscribers: 'subscribers',
} as const;

/** Names that the configuration may have; a project has one of them. */
export const CONFIG_FILES = [
  'millrace.config.ts',
  'millrace.config.js',
  'millrace.config.mjs',
] as const;

/** The name of the file with the models. */
export const MODELS_FILE = 'config.yml';

/** Most files that one folder of definitions may hold, at all depths. */
const MAX_FILES = 5_000;

/** A folder holds more files than anybody writes definitions: it is probably not the one that was meant. */
export class TooManyFiles extends Error {
  override readonly name = 'TooManyFiles';
  constructor(readonly folder: string) {
    super(
      `there are more than ${String(MAX_FILES)} files in ${folder} (maxFiles). Name a folder that holds definitions only.`,
    );
  }
}

const MODULE = /\.(?:[cm]?ts|[cm]?js)$/;
const NO_ENTRY = /\.(?:test|spec)\.[cm]?[jt]s$|\.d\.[cm]?ts$/;
const CONTRACT = /\.contract\.[cm]?[jt]s$/;

/** TypeScript and JavaScript modules below a folder, tests and declarations aside; sorted. */
export function moduleFiles(folder: string): readonly string[] {
  return filesBelow(folder).filter((file) => MODULE.test(file) && !NO_ENTRY.test(file));
}

/** The modules that declare workflows: `workflows/*.contract.ts`. */
export function contractFiles(dir: string): readonly string[] {
  return moduleFiles(join(dir, FOLDERS.workflows)).filter((file) => CONTRACT.test(file));
}

/** The modules with workflow code: those of `workflows/` that are no contracts. */
export function workflowFiles(dir: string): readonly string[] {
  return moduleFiles(join(dir, FOLDERS.workflows)).filter((file) => !CONTRACT.test(file));
}

/** True for a module of a folder called `activities`, as seen from the project: `shop/activities/mail.ts`. */
export function isInActivities(dir: string, file: string): boolean {
  return relative(dir, dirname(file)).split(sep).includes(FOLDERS.activities);
}

/** YAML files directly in a folder; sorted. */
export function yamlFiles(folder: string): readonly string[] {
  return filesBelow(folder, false).filter((file) => /\.ya?ml$/.test(file));
}

/** The configuration files that a project has; more than one is a mistake. */
export function configFiles(dir: string): readonly string[] {
  return CONFIG_FILES.map((name) => join(dir, name)).filter((file) => existsSync(file));
}

/** @throws {@link TooManyFiles} */
function filesBelow(folder: string, deep = true): readonly string[] {
  if (!isDirectory(folder)) return [];
  const files: string[] = [];
  const folders = [folder];
  for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
    for (const entry of readdirSync(current, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = join(current, entry.name);
      const directory = entry.isDirectory() || (entry.isSymbolicLink() && isDirectory(path));
      if (!directory) files.push(path);
      else if (deep && entry.isDirectory()) folders.push(path);
    }
    if (files.length > MAX_FILES) throw new TooManyFiles(folder);
  }
  return files.sort();
}

/** True for a folder that exists. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
