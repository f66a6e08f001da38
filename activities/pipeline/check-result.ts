import type { ResultDecision, ResultTask } from '../../src/pipeline/operation-task.js';
import { resultViolation } from '../../src/pipeline/result-check.js';
import { failureOf } from '../failure.js';

/** Whether a result is as the pipeline's output declares. */
export function checkResult({ schema, result }: ResultTask): ResultDecision {
  const violation = resultViolation(schema, result);
  if (violation === undefined) return {};
  const failure = failureOf(violation);
  return { failure: { ...failure, message: `The result is not as declared: ${failure.message}` } };
}
