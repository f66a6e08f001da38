import type { PropertyTypes } from '../contract/contract.js';
import { objectSchema, typeSchema } from '../contract/json-schema.js';
import { durationMs, InvalidDuration } from './duration.js';
import type { JsonObject } from './json.js';
import { nameProblem } from './name.js';
import type { Problem, Site } from './problem.js';
import type { Workflow } from './workflow.js';

/** A hand-written workflow that can be started. */
export interface CompiledWorkflow {
  readonly kind: 'workflow';
  readonly name: string;
  readonly description?: string;
  readonly site?: Site;
  readonly timeoutMs: number;
  readonly input: PropertyTypes;
  readonly inputSchema: JsonObject;
  readonly outputSchema: JsonObject;
}

const DEFAULT_TIMEOUT_MS = 15 * 60_000;

/** Compiles a declared workflow. Every problem is returned; nothing is thrown for a wrong definition. */
export function compileWorkflow(definition: Workflow): {
  readonly workflow?: CompiledWorkflow;
  readonly problems: readonly Problem[];
} {
  const { name, description, site, input, output } = definition;
  const at = site === undefined ? {} : { site };
  const wrong = nameProblem(name) ?? contractProblem(definition);
  if (wrong !== undefined)
    return { problems: [{ ...at, definition: name, message: `workflow ${wrong}` }] };
  try {
    const timeoutMs =
      definition.timeout === undefined ? DEFAULT_TIMEOUT_MS : durationMs(definition.timeout);
    const workflow: CompiledWorkflow = {
      kind: 'workflow',
      name,
      ...at,
      ...(description !== undefined && { description }),
      timeoutMs,
      input: input.shape,
      inputSchema: objectSchema(input.shape, 'input'),
      outputSchema: typeSchema(output, 'output'),
    };
    return { workflow, problems: [] };
  } catch (error) {
    if (!(error instanceof InvalidDuration)) throw error;
    return {
      problems: [
        { ...at, definition: name, message: `workflow "${name}": timeout: ${error.message}` },
      ],
    };
  }
}

function contractProblem({ name, input, output }: Partial<Workflow>): string | undefined {
  if (input?.shape === undefined)
    return `"${name ?? ''}" has no input. Give it one: input: z.object({ … }).`;
  return output === undefined
    ? `"${name ?? ''}" has no output. Give it one: output: z.object({ … }).`
    : undefined;
}
