import { suggestion } from '../../src/definition/suggestion.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { PlannedPipeline, PlanRequest } from '../../src/pipeline/start.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';

/**
 * The plan of a pipeline as it is deployed, for a workflow that runs it as its child. Its input is checked as the engine
 * does; the run gets it as it was given, since operations fill in defaults for themselves.
 *
 * @throws ApplicationFailure, not retryable: `contract_violation`, or `PipelineNotFound`
 */
export function planPipeline(
  { code }: ActivityDependencies,
  { pipeline: name, input }: PlanRequest,
): PlannedPipeline {
  const definition = code.definitions.get(name);
  if (definition?.kind !== 'pipeline') {
    const message =
      definition === undefined
        ? `There is no pipeline "${name}".${suggestion(name, pipelineNames(code.definitions))}`
        : `"${name}" is no pipeline but a hand-written workflow. Run it with executeChild of @temporalio/workflow.`;
    throw applicationFailure({ type: FAILURE_TYPES.pipelineNotFound, message, retryable: false });
  }
  try {
    definition.checkInput(input);
  } catch (error) {
    throw applicationFailure(failureOf(error), error);
  }
  const { plan, description } = definition;
  return { plan, ...(description !== undefined && { description }) };
}

function pipelineNames(
  definitions: ActivityDependencies['code']['definitions'],
): readonly string[] {
  return [...definitions.values()].flatMap(({ kind, name }) => (kind === 'pipeline' ? [name] : []));
}
