import { transform, type TransformFailure } from 'esbuild';
import type { Problem } from '../../src/definition/problem.js';
import type { GeneratedFile } from '../project/changes.js';

const CODE = /\.[cm]?[jt]s$/;

/**
 * Tells of generated code that is none, before it is written: a name that is a word of the language (`delete`), or one that the code
 * imports already (`success`), makes such.
 */
export async function codeProblems(files: readonly GeneratedFile[]): Promise<readonly Problem[]> {
  const found = await Promise.all(files.filter(({ path }) => CODE.test(path)).map(problemsIn));
  return found.flat();
}

async function problemsIn({ path, text }: GeneratedFile): Promise<readonly Problem[]> {
  try {
    const { code } = await transform(text, {
      loader: 'ts',
      logLevel: 'silent',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    });
    // In TypeScript, an import and a variable may have one name: the import may be a type.
    await transform(code, { loader: 'js', logLevel: 'silent' });
    return [];
  } catch (error) {
    const { errors } = error as TransformFailure;
    return errors.map(({ text: message, location }) => ({
      site: { file: path },
      message: `would not be code: ${message}${location === null ? '' : `, in "${location.lineText.trim()}"`}. Choose another name.`,
    }));
  }
}
