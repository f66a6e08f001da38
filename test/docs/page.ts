import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { ProjectFiles } from '../support/project.js';

/** The repository. */
export const ROOT = join(import.meta.dirname, '../..');

/**
 * A fenced block of a page. What a test does with it stands behind its language, where nobody sees it on a rendered page:
 *
 * - `ts file=operations/a.ts`: a file of the page's project. All files of a page are one project, unless they name
 *   another: `project=audit`. They are type-checked together, loaded, and where it says so in the page's test, run.
 * - `yaml`: a pipeline, loaded by itself.
 * - `sh run`: commands that are executed as they stand; `sh run fails`: that exit with 1. `sh start` starts `npm start`.
 * - `json output`, `text output`: what the commands before it print; see `output.ts` for what has to be equal. `json output soon`: what
 *   they print when they are typed again a moment later.
 */
export interface Block {
  /** Path in the repository. */
  readonly page: string;
  /** Of the fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** `file=a.ts` as `{ file: 'a.ts' }`, `run` as `{ run: '' }`. */
  readonly marks: Readonly<Record<string, string>>;
  readonly code: string;
}

/** Every page of the documentation, by its path in the repository. */
export function pages(): readonly string[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)];
}

/** The README of each example that has one. They are part of the repository alone, not of the package. */
export function examplePages(): readonly string[] {
  return readdirSync(join(ROOT, 'examples'))
    .map((name) => `examples/${name}/README.md`)
    .filter((page) => existsSync(join(ROOT, page)));
}

/** The text of a page. */
export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** The fenced blocks of a page, in its order. */
export function blocksOf(page: string): readonly Block[] {
  const text = readPage(page);
  return [...text.matchAll(/^```([^\n`]+)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, info = '', code = ''] = match;
    const [language = '', ...marks] = info.trim().split(/\s+/);
    const line = text.slice(0, match.index).split('\n').length;
    return { page, line, language, marks: Object.fromEntries(marks.map(markOf)), code };
  });
}

function markOf(mark: string): readonly [string, string] {
  const [name = '', value = ''] = mark.split('=');
  return [name, value];
}

/** The projects that a page shows: their files, by the project's name. The one without a name is called `''`. */
export function projectsOf(page: string): ReadonlyMap<string, ProjectFiles> {
  const projects = new Map<string, Record<string, string>>();
  for (const { marks, code, line } of blocksOf(page)) {
    const { file, project = '' } = marks;
    if (file === undefined) continue;
    const files = projects.get(project) ?? {};
    if (files[file] !== undefined)
      throw new Error(`${page}:${String(line)} writes ${file} a second time`);
    files[file] = code;
    projects.set(project, files);
  }
  return projects;
}

/** The files of one project of a page. */
export function projectOf(page: string, project = ''): ProjectFiles {
  const files = projectsOf(page).get(project);
  if (files === undefined) throw new Error(`${page} shows no project "${project}"`);
  return files;
}

/** `docs/pipelines.md:12`, for the name of a test. */
export function placeOf({ page, line }: Block): string {
  return `${relative('', page)}:${String(line)}`;
}
