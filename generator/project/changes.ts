import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Problem } from '../../src/definition/problem.js';
import { GenerationRefused } from '../refusal.js';
import { placeIn } from './place.js';

/** A file that is to be in a project. */
export interface GeneratedFile {
  /** As seen from the project, with "/". */
  readonly path: string;
  readonly text: string;
  /** Keeps everything that the file had, so that it may be written over. */
  readonly amends?: true;
}

/** What becomes of a file. */
export type FileChange = {
  readonly path: string;
  readonly text: string;
} & (
  | { readonly kind: 'create' }
  /** It is there already, as it should be. */
  | { readonly kind: 'same' }
  /** Something is added to it. */
  | { readonly kind: 'amend'; readonly before: string }
  /** It is there, and is another one; it is kept unless somebody says otherwise. */
  | { readonly kind: 'differs'; readonly before: string }
);

/**
 * Finds out what would become of files. Nothing is written.
 *
 * @param dir - the project's folder, without symbolic links
 * @throws {@link GenerationRefused} for those that would be outside of the project
 */
export function plannedChanges(
  dir: string,
  files: readonly GeneratedFile[],
): readonly FileChange[] {
  const problems: Problem[] = [];
  const changes = files.flatMap(({ path, text, amends }): readonly FileChange[] => {
    const place = placeIn(dir, path);
    if ('problem' in place) {
      problems.push({ message: place.problem });
      return [];
    }
    if (!existsSync(place.file)) return [{ kind: 'create', path, text }];
    const before = readFileSync(place.file, 'utf8');
    if (before === text) return [{ kind: 'same', path, text }];
    return [{ kind: amends === true ? 'amend' : 'differs', path, text, before }];
  });
  if (problems.length > 0) throw new GenerationRefused(problems);
  return changes;
}

/**
 * Writes what is to be changed: files that differ only with `force`.
 *
 * @throws {@link GenerationRefused} when a file came to be outside of the project meanwhile
 */
export async function writeChanges(
  dir: string,
  changes: readonly FileChange[],
  { force }: { readonly force: boolean },
): Promise<void> {
  for (const change of changes) {
    if (change.kind === 'same' || (change.kind === 'differs' && !force)) continue;
    const place = placeIn(dir, change.path);
    if ('problem' in place) throw new GenerationRefused([{ message: place.problem }]);
    await mkdir(dirname(place.file), { recursive: true });
    if (change.kind === 'create') await writeFile(place.file, change.text, { flag: 'wx' });
    else await replace(place.file, change.text);
  }
}

/** Either the old text is there or the new one, whatever happens. */
async function replace(file: string, text: string): Promise<void> {
  const beside = `${file}.${String(process.pid)}.tmp`;
  try {
    await writeFile(beside, text, { flag: 'wx', mode: statSync(file).mode });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
