import { isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Site } from '../../src/definition/problem.js';

/** A path as messages show it: relative to the project where it is in there, with `/` on every system. */
export function shownPath(file: string, dir: string): string {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  if (!isAbsolute(path)) return path;
  const inside = relative(dir, path);
  const shown = inside.startsWith('..') || isAbsolute(inside) ? path : inside;
  return shown.split(sep).join('/');
}

/** A place as messages show it. */
export function shownSite(site: Site, dir: string): Site {
  return { ...site, file: shownPath(site.file, dir) };
}
