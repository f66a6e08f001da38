import { formatProblem, type Problem } from '../src/definition/problem.js';

/** Nothing was generated, and nothing written: what was asked for, or a template, is wrong. Carries every problem that was found. */
export class GenerationRefused extends Error {
  override readonly name = 'GenerationRefused';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}
