/** Longest path of a file that is generated, in characters. */
const MAX_LENGTH = 400;

/** Folders of a project whose files are other programs' own. */
const NOT_OURS: readonly string[] = ['.git', 'node_modules', '.millrace'];

// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f]/;

/** Why a path cannot be that of a file or folder below another one, as a sentence; undefined where it can. */
export function pathProblem(path: string): string | undefined {
  const shown = JSON.stringify(path);
  if (path.length > MAX_LENGTH)
    return `a path of ${String(path.length)} characters is too long; the longest has ${String(MAX_LENGTH)}.`;
  if (UNPRINTABLE.test(path)) return `${shown} has characters that no path should have.`;
  if (path.includes('\\')) return `${shown} has a "\\"; folders are separated by "/".`;
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path))
    return `${shown} is absolute; write a path from the folder that it is in.`;
  const parts = path.split('/');
  if (parts.includes('..')) return `${shown} leads out of its folder by "..".`;
  if (parts.some((part) => part === '' || part === '.'))
    return `${shown} has an empty part, or ".".`;
  const foreign = parts.find((part) => NOT_OURS.includes(part.toLowerCase()));
  if (foreign !== undefined) return `${shown} is in ${foreign}, where nothing is generated.`;
  return undefined;
}

/** The path of a file that a template makes, or why it cannot be one. A folder may be empty, and end with "/". */
export function outputPath(
  subdir: string,
  filename: string,
): { readonly path: string } | { readonly problem: string } {
  if (/[/\\]/.test(filename))
    return {
      problem: `the name of the file, ${JSON.stringify(filename)}, has a separator; folders go into subdir.`,
    };
  if (filename === '') return { problem: 'the name of the file is empty.' };
  const folder = subdir.replace(/(?<=[^/])\/+$/, '');
  const path = folder === '' ? filename : `${folder}/${filename}`;
  const problem = pathProblem(path);
  return problem === undefined ? { path } : { problem };
}
