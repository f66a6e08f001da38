import { transform, type TransformFailure } from 'esbuild';
import type { Problem } from '../../src/definition/problem.js';
import type { GeneratedFile } from '../project/changes.js';

const CODE = /\.[cm]?[jt]s$/;

/**
 * Tells of generated code that is none, before it is written: a name that is a word of the language (`delete`), or one that the code
 * imports already (`success`), makes such. Of several files that are wrong the first is told of: the reason is the same.
 */
export async function codeProblems(files: readonly GeneratedFile[]): Promise<readonly Problem[]> {
  const found = await Promise.all(files.filter(({ path }) => CODE.test(path)).map(problemsIn));
  return found.find((problems) => problems.length > 0) ?? [];
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
    return errors.map(({ text: why }) => ({
      site: { file: path },
      message: `would not compile: ${why}. Choose another name.`,
    }));
  }
}
