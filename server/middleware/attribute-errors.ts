import {
  AttributeRunActive,
  AttributeRunOver,
  PipelineNameTaken,
} from '../../engine/attribute-pipeline/attribute-errors.js';
import {
  EditConflict,
  InUse,
  InvalidFilter,
  InvalidSettings,
  InvalidValues,
  NameTaken,
  NotFound,
  type ValueProblem,
} from '../../src/attribute-pipeline/catalog-errors.js';
import { DependencyCycle } from '../../src/attribute-pipeline/dependency-order.js';
import { HttpProblem } from '../http-problem.js';

/** What a client is told of an error about entities, attributes and their pipelines; undefined for another error. */
export function ofAttributes(error: unknown): HttpProblem | undefined {
  if (error instanceof NotFound) return new HttpProblem(404, 'not_found', error.message);
  if (error instanceof NameTaken || error instanceof PipelineNameTaken)
    return new HttpProblem(409, 'name_taken', error.message);
  if (error instanceof InUse) return new HttpProblem(409, 'in_use', error.message);
  if (error instanceof EditConflict) {
    const fields = { yours: error.yours, theirs: error.current };
    return new HttpProblem(409, 'edit_conflict', error.message, { fields });
  }
  if (error instanceof AttributeRunActive) {
    const fields = { run_id: error.run.id };
    return new HttpProblem(409, 'run_active', error.message, { fields });
  }
  if (error instanceof AttributeRunOver) {
    const fields = { status: error.status };
    return new HttpProblem(409, 'execution_closed', error.message, { fields });
  }
  if (error instanceof DependencyCycle) {
    const fields = { cycle: error.cycle };
    return new HttpProblem(422, 'dependency_cycle', error.message, { fields });
  }
  if (error instanceof InvalidSettings) return violated(error.message, error.problems);
  if (error instanceof InvalidValues)
    return violated(
      error.message,
      error.problems.map((problem) => ({
        path: pathOf(problem, error.given),
        message: problem.message,
      })),
    );
  if (error instanceof InvalidFilter)
    return violated(error.message, [
      { path: `filter[${String(error.index)}]`, message: error.message },
    ]);
  return undefined;
}

function violated(
  message: string,
  violations: readonly { readonly path: string; readonly message: string }[],
): HttpProblem {
  return new HttpProblem(422, 'contract_violation', message, {
    fields: { violations: violations.map(({ path, message: text }) => ({ path, message: text })) },
  });
}

/** Where a value is in the body of a request. */
function pathOf({ index, attribute }: ValueProblem, given: InvalidValues['given']): string {
  if (given === 'value') return 'value';
  if (given === 'values') return `values[${String(index)}]`;
  const entity = `entities[${String(index)}]`;
  return attribute === null ? entity : `${entity}.values.${attribute}`;
}
