import { transform, type TransformFailure } from 'esbuild';
import type { Problem } from '../../src/definition/problem.js';
import type { GeneratedFile } from '../project/changes.js';

const CODE = /\.[cm]?[jt]s$/;

/**
 * Tells of generated code that is none, before it is written: a name that is a word of the language (`delete`), or one that the code
 * imports (`success`) or uses otherwise (`process`), makes such. Of several files that are wrong the first is told of: the reason is the same.
 *
 * @param names - those that somebody has chosen, in all cases
 */
export async function codeProblems(
  files: readonly GeneratedFile[],
  names: ReadonlySet<string>,
): Promise<readonly Problem[]> {
  const code = files.filter(({ path }) => CODE.test(path));
  const found = await Promise.all(code.map((file) => problemsIn(file, names)));
  return found.find((problems) => problems.length > 0) ?? [];
}

async function problemsIn(
  { path, text }: GeneratedFile,
  names: ReadonlySet<string>,
): Promise<readonly Problem[]> {
  try {
    const { code } = await transform(text, {
      loader: 'ts',
      logLevel: 'silent',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    });
    // In TypeScript, an import and a variable may have one name: the import may be a type.
    await transform(code, { loader: 'js', logLevel: 'silent' });
    const ambiguous = [...names].filter((name) => meansTwoThings(name, { text, code }));
    return ambiguous.map((name) => ({
      site: { file: path },
      message: `"${name}" would mean two things in it. Choose another name.`,
    }));
  } catch (error) {
    const { errors } = error as TransformFailure;
    return errors.map(({ text: why }) => ({
      site: { file: path },
      message: `would not compile: ${why}. Choose another name.`,
    }));
  }
}

/**
 * Whether a name means something in a file that the file itself means otherwise: `server`, where a function of it has a variable of that
 * name, which esbuild renames; `process`, where it uses what Node.js has of that name.
 *
 * @param text - the file
 * @param code - what esbuild has made of it
 */
function meansTwoThings(
  name: string,
  { text, code }: { readonly text: string; readonly code: string },
): boolean {
  if (!/^\w+$/.test(name)) return false;
  const renamed = code.match(new RegExp(`\\b${name}\\d+\\b`, 'g')) ?? [];
  if (renamed.some((other) => !text.includes(other))) return true;
  const isDeclared = new RegExp(`^export const ${name}\\b`, 'm').test(text);
  return isDeclared && name in globalThis && new RegExp(`(?<![.\\w/'"-])${name}[.(]`).test(text);
}
