import { lstatSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { pathProblem } from './output-path.js';

/** Where a file of a project is, or why nothing is written there. */
export type Place = { readonly file: string } | { readonly problem: string };

/**
 * Finds the place of a file in a project, and refuses those that symbolic links lead out of it.
 *
 * @param dir - the project's folder, without symbolic links
 * @param path - as seen from there, with "/"
 */
export function placeIn(dir: string, path: string): Place {
  const wrong = pathProblem(path);
  if (wrong !== undefined) return { problem: wrong };
  const parts = path.split('/');
  let current = dir;
  for (const [at, part] of parts.entries()) {
    const next = join(current, part);
    const isLast = at === parts.length - 1;
    const shown = parts.slice(0, at + 1).join('/');
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found === undefined) return { file: join(next, ...parts.slice(at + 1)) };
    const real = found.isSymbolicLink() ? target(next) : next;
    if (real === undefined) return { problem: `${shown} is a link that leads nowhere.` };
    if (!isInside(dir, real))
      return { problem: `${shown} is a link that leads outside, to ${real}.` };
    const { isDirectory } = kindOf(real);
    if (isLast && isDirectory) return { problem: `${shown} is a folder.` };
    if (!isLast && !isDirectory) return { problem: `${shown} is a file, and no folder.` };
    current = real;
  }
  return { file: current };
}

function target(link: string): string | undefined {
  try {
    return realpathSync(link);
  } catch {
    return undefined;
  }
}

function kindOf(file: string): { readonly isDirectory: boolean } {
  return { isDirectory: lstatSync(file).isDirectory() };
}

/** Whether a path is that of a folder, or of something below it. */
export function isInside(dir: string, path: string): boolean {
  const way = relative(dir, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
