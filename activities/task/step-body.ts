import { createApiClient } from '../../adapters/http/api-client.js';
import { jsonViolation } from '../../src/contract/json-value.js';
import { schemaCheck } from '../../src/contract/schema-validation.js';
import { durationMsOrNone } from '../../src/definition/duration.js';
import { jsonBytes, type Json } from '../../src/definition/json.js';
import { unknownName } from '../../src/definition/unknown-name.js';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import { MAX_PAYLOAD_BYTES, payloadFailure } from '../../src/pipeline/payload-limit.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ApiClient } from '../../src/task/api-client.js';
import { rangesOf, wrongRanges } from '../../src/task/batch-ranges.js';
import type { ApiSettings, StepHandler } from '../../src/task/handler.js';
import type { StepContext } from '../../src/task/step-context.js';
import type { StepOutcome, StepTask } from '../../src/task/step-outcome.js';
import {
  isStepError,
  isStepResult,
  success,
  type StepError,
  type StepSuccess,
} from '../../src/task/step-result.js';
import { failureOf } from '../failure.js';

/** How long a request of a handler of type `api` may take, unless the handler says it. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Longest answer that such a handler gets, in bytes. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

/** A handler has returned an error. */
class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly retryAfterMs: number | undefined;
  constructor(readonly returned: StepError) {
    super(returned.message);
    this.retryAfterMs = returned.retryAfterMs;
  }
}

/**
 * Runs a handler, and looks at what it returns.
 *
 * @throws what the handler throws, what it returns as an error, and `StepResultInvalid` for what no step can return
 */
export async function executeHandler(
  handler: StepHandler,
  task: StepTask,
  context: StepContext,
): Promise<StepOutcome> {
  const result = await callHandler(handler, context, task.step.handler?.method);
  requireSchema(task, result.data);
  const outcome: StepOutcome = {
    kind: 'step',
    result: result.data,
    ...steering(task, result),
    handlerVersion: handler.version,
  };
  requireSize(task, outcome);
  return outcome;
}

/**
 * Calls a function of a handler. Plain data that it returns is a success.
 *
 * @throws what the handler throws, what it returns as an error, and `StepResultInvalid` for what is no JSON
 */
export async function callHandler(
  handler: StepHandler,
  context: StepContext,
  method = 'run',
): Promise<StepSuccess> {
  const run = Object.hasOwn(handler.methods, method) ? handler.methods[method] : undefined;
  if (run === undefined) throw invalid(unknownName(method, Object.keys(handler.methods), 'method'));
  const returned = await run({ api: apiOf(handler, context), ...context });
  const result = isStepResult(returned) ? returned : success(returned ?? {});
  if (isStepError(result)) throw new StepFailed(result);
  requireJson(result.data);
  return result;
}

/** What an error says of a step. */
export function stepFailureOf(error: unknown): Failure {
  if (!(error instanceof StepFailed)) return failureOf(error);
  const { type, message, retryable, details } = error.returned;
  // Messages and details are bounded there.
  return { ...failureOf(permanent(message, details, type)), retryable };
}

/** The steps, or the ranges, that come next. */
function steering(
  { step }: StepTask,
  { branches, ranges }: StepSuccess,
): Pick<StepOutcome, 'branches' | 'ranges'> {
  switch (step.type) {
    case 'decision': {
      if (branches === undefined)
        throw invalid('A decision must return branches([ … ]) or noBranches().');
      const known = step.branches ?? [];
      const unknown = branches.find((name) => !known.includes(name));
      if (unknown !== undefined)
        throw invalid(
          `It chose ${unknownName(unknown, known, 'step')} None of its branches was created.`,
        );
      return { branches: [...new Set(branches)] };
    }
    case 'batchable': {
      if (ranges === undefined)
        throw invalid('A batchable step must return batches( … ) or noBatches().');
      const made = rangesOf(ranges, step.batchSize ?? 1);
      const wrong = wrongRanges(made);
      if (wrong !== undefined) throw invalid(wrong);
      return { ranges: made };
    }
    default:
      if (branches !== undefined) throw invalid('Only a decision step returns branches.');
      if (ranges !== undefined) throw invalid('Only a batchable step returns batches.');
      return {};
  }
}

function requireJson(data: Json): void {
  const violation = jsonViolation(['result'], data);
  if (violation !== undefined) throw invalid(violation.message);
}

function requireSchema({ step: { resultSchema } }: StepTask, data: Json): void {
  const wrong = resultSchema === undefined ? undefined : schemaCheck(resultSchema)(data);
  if (wrong !== undefined) throw invalid(`The result does not fit result_schema: ${wrong}.`);
}

function requireSize({ name }: StepTask, outcome: StepOutcome): void {
  const bytes = jsonBytes(outcome);
  const tooLarge = payloadFailure(`The result of step "${name}"`, bytes);
  if (tooLarge !== undefined)
    throw permanent(tooLarge.message, { bytes, limit: MAX_PAYLOAD_BYTES }, tooLarge.type);
}

function invalid(message: string): Error {
  return permanent(message, undefined, FAILURE_TYPES.stepResult);
}

/** The client of a handler of type `api`; others have no use for one, and its type does not promise them any. */
function apiOf({ name, api }: StepHandler, context: StepContext): ApiClient {
  const settings: ApiSettings = api ?? {
    baseUrl: () => {
      throw invalid(`Step handler "${name}" has no API: define it with defineApiHandler.`);
    },
  };
  const { baseUrl, headers = {}, timeout } = settings;
  return createApiClient({
    baseUrl: () => (typeof baseUrl === 'function' ? baseUrl(context) : baseUrl),
    headers: typeof headers === 'function' ? headers(context) : headers,
    timeoutMs: durationMsOrNone(timeout) ?? REQUEST_TIMEOUT_MS,
    maxResponseBytes: MAX_RESPONSE_BYTES,
    signal: context.signal,
  });
}
