import { ignoresFailure, type Failure } from '../../src/pipeline/failure.js';
import type { OperationPlan } from '../../src/pipeline/plan.js';
import type { ActivityDependencies } from '../dependencies.js';

/** Whether `ignoreErrors` of an operation in its place covers a failure. A predicate that throws covers nothing. */
export function ignores(
  deps: ActivityDependencies,
  place: { readonly pipeline: string; readonly stage: string; readonly operation: OperationPlan },
  failure: Failure,
): boolean {
  const { operation } = place;
  if (operation.ignoreErrors !== 'predicate')
    return ignoresFailure(operation.ignoreErrors, failure);
  const predicate = deps.code.predicate(place.pipeline, place.stage, operation.name);
  try {
    return predicate?.(failure) === true;
  } catch (error) {
    deps.log.error(
      { err: error, operation: operation.name },
      'ignoreErrors threw; the failure is not ignored',
    );
    return false;
  }
}
