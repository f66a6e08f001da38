import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Problem } from '../../src/definition/problem.js';
import { isDirectory, TooManyFiles } from './project-files.js';

/**
 * Loads something from the folder of a project.
 *
 * @param load - gets the folder, absolute and without symbolic links
 * @param refused - what there is instead where the folder cannot be loaded, though nothing in it is wrong
 */
export async function inFolder<T>(
  directory: string,
  load: (dir: string) => Promise<T>,
  refused: (problem: Problem) => T,
): Promise<T> {
  if (!isDirectory(directory)) {
    const message = `There is no folder ${resolve(directory)}. Name the folder of a project: --dir.`;
    return refused({ message });
  }
  try {
    return await load(realpathSync(directory));
  } catch (error) {
    const message = refusal(error);
    if (message === undefined) throw error;
    return refused({ message });
  }
}

/** Undefined for a fault of ours. */
function refusal(error: unknown): string | undefined {
  if (error instanceof TooManyFiles) return error.message;
  if (!(error instanceof Error) || !('syscall' in error)) return undefined;
  return `${error.message}. The project's files must be readable, and .millrace/ in its folder writable: compiled modules go there.`;
}
