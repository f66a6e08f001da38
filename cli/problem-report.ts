import pc from 'picocolors';
import { formatProblem, type Problem } from '../src/definition/problem.js';

/** All problems as a person reads them: one a line, errors and warnings apart in colour, and a count at the end. */
export function problemReport(problems: readonly Problem[]): string {
  const warnings = problems.filter((problem) => problem.severity === 'warning').length;
  const errors = problems.length - warnings;
  const counts = [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ];
  return [...problems.map(line), pc.dim(counts.join(', '))].join('\n');
}

/** `1 error`, `2 errors`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}

function line(problem: Problem): string {
  const text = formatProblem(problem);
  const gap = text.indexOf('  ');
  if (problem.site === undefined || gap < 0)
    return problem.severity === 'warning' ? pc.yellow(text) : pc.red(text);
  return `${pc.bold(text.slice(0, gap))}${problem.severity === 'warning' ? pc.yellow(text.slice(gap)) : text.slice(gap)}`;
}
