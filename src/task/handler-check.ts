import { nameProblem } from '../definition/name.js';
import type { Problem, Site } from '../definition/problem.js';
import { ProblemList, type Path } from '../pipeline/problem-list.js';
import type { StepHandler } from './handler.js';

/**
 * Everything that is wrong with a handler by itself, which may be anything in JavaScript.
 *
 * @param locate - where something of its definition is written
 */
export function stepHandlerProblems(
  { name, version, methods, api }: StepHandler,
  locate: (path: Path) => Site | undefined,
): readonly Problem[] {
  const problems = new ProblemList(locate, name);
  const wrong = nameProblem(name, 'process_payment');
  if (wrong !== undefined) problems.add(['name'], `step handler ${wrong}`);
  const at = `step handler "${name}": `;
  if (typeof (version as unknown) !== 'string')
    problems.add(['version'], `${at}version must be a text, such as '1.0.0'.`);
  for (const [method, run] of Object.entries(methods as Readonly<Record<string, unknown>>))
    if (typeof run !== 'function')
      problems.add(
        [method],
        `${at}${method} must be a function: ${method}: async (context) => { … }.`,
      );
  if (api === undefined) return problems.all();
  problems.timeout(['timeout'], `${at}timeout`, api.timeout);
  const { baseUrl } = api;
  const isUrl = typeof baseUrl === 'string' && URL.canParse(baseUrl) && /^https?:/.test(baseUrl);
  if (!isUrl && typeof baseUrl !== 'function')
    problems.add(
      ['baseUrl'],
      `${at}baseUrl must be an http or https URL, or a function that returns one.`,
    );
  return problems.all();
}
