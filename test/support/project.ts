import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatProblem } from '../../src/definition/problem.js';
import {
  loadProject,
  type LoadedProject,
  type Project,
} from '../../engine/project/load-project.js';

/** Files of a project: their paths in it, and their text. */
export type ProjectFiles = Readonly<Record<string, string>>;

/** Writes files of a project into a folder, beside or over what is there. */
export async function writeProject(dir: string, files: ProjectFiles): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(dir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return dir;
}

/** The problems as a person reads them, one a line. */
export function messagesOf({ problems }: Pick<LoadedProject, 'problems'>): readonly string[] {
  return problems.map(formatProblem);
}

/** Gives a function that writes files of a project into a test's folder, loads it, and tells its problems as a person reads them. */
export function messagesIn(folder: {
  readonly path: string;
}): (files: ProjectFiles, env?: Readonly<Record<string, string>>) => Promise<readonly string[]> {
  return async (files, env = {}) =>
    messagesOf(await loadProject(await writeProject(folder.path, files), { env }));
}

/** Loads a project that is expected to be right; fails with its problems otherwise. */
export async function loadRightProject(
  dir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Project> {
  const loaded = await loadProject(dir, { env });
  if (loaded.project === undefined)
    throw new Error(`the project was refused:\n${messagesOf(loaded).join('\n')}`);
  return loaded.project;
}

/** An operation as a project's file exports it, which counts the words of `text`. */
export const COUNT_WORDS = `import { defineOperation } from 'millrace';
import { z } from 'zod';

export const countWords = defineOperation({
  name: 'count-words',
  reads: z.object({ text: z.string() }),
  sets: z.object({ words: z.number().int() }),
  quick: true,
  run: ({ input }) => ({ words: input.text.split(/\\s+/).length }),
});
`;

/** A pipeline as YAML writes it, which uses {@link COUNT_WORDS}. */
export const WORD_REPORT = `# A report about the words of a text.
name: word-report
timeout: 30s
stages:
  - name: count
    operations: [{ type: count-words }]
  - name: log
    operations: [{ type: log, options: { fields: [words] } }]
`;
