/** What version control leaves out: packages, and where Millrace keeps compiled files and the state of `dev`. */
const IGNORED = ['node_modules', '.millrace'] as const;

/** A .gitignore with the lines that it lacks. @param text - undefined where there is none */
export function amendedIgnores(text: string | undefined): string {
  const before = text ?? '';
  const lines = before.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, ''));
  const missing = IGNORED.filter((name) => !lines.includes(name)).map((name) => `${name}/\n`);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  return missing.length === 0 ? before : before + gap + missing.join('');
}
