import { z } from 'zod';
import { inputContract, type InputContract } from '../contract/input-contract.js';
import { typeSchema } from '../contract/json-schema.js';
import { checkFitness } from '../pipeline/operation-check.js';
import { ProblemList, type Path } from '../pipeline/problem-list.js';
import { durationMsOrNone } from './duration.js';
import type { JsonObject } from './json.js';
import { nameProblem } from './name.js';
import type { Problem, Site } from './problem.js';
import { WORKFLOW_KEYS, type Workflow } from './workflow.js';

/** A hand-written workflow that can be started. */
export interface CompiledWorkflow extends InputContract {
  readonly kind: 'workflow';
  readonly name: string;
  readonly description?: string;
  readonly site?: Site;
  readonly timeoutMs: number;
  readonly outputSchema: JsonObject;
}

const DEFAULT_TIMEOUT_MS = 15 * 60_000;

/**
 * Compiles a declared workflow. Every problem is returned; nothing is thrown for a wrong definition.
 *
 * @param locate - where something of its definition is written
 */
export function compileWorkflow(
  definition: Workflow,
  locate: (path: Path) => Site | undefined = () => definition.site,
): {
  readonly workflow?: CompiledWorkflow;
  readonly problems: readonly Problem[];
} {
  const { name, description, site, input, output } = definition;
  const problems = new ProblemList(locate, name);
  checkForm(definition, problems);
  if (problems.hasErrors()) return { problems: problems.all() };
  const workflow: CompiledWorkflow = {
    kind: 'workflow',
    name,
    ...(site !== undefined && { site }),
    ...(description !== undefined && { description }),
    timeoutMs: durationMsOrNone(definition.timeout) ?? DEFAULT_TIMEOUT_MS,
    ...inputContract(input.shape),
    outputSchema: typeSchema(output, 'output'),
  };
  return { workflow, problems: problems.all() };
}

function checkForm(definition: Workflow, problems: ProblemList): void {
  const { name, timeout } = definition;
  const at = `workflow "${name}": `;
  const wrong = nameProblem(name);
  if (wrong !== undefined) problems.add(['name'], `workflow ${wrong}`);
  problems.unknownKeys(at, definition, WORKFLOW_KEYS);
  problems.timeout(['timeout'], `${at}timeout`, timeout);
  const { input, output }: Partial<Workflow> = definition;
  if (!(input instanceof z.ZodObject))
    problems.add(
      ['input'],
      `workflow "${name}" has no input. Give it one: input: z.object({ … }).`,
    );
  else checkFitness(input, 'input', 'input', at, problems);
  if (!(output instanceof z.ZodType))
    problems.add(
      ['output'],
      `workflow "${name}" has no output. Give it one: output: z.object({ … }).`,
    );
  else checkFitness(z.object({ result: output }), 'output', 'output', at, problems);
}
