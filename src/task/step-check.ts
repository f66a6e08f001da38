import { isDefinition } from '../definition/brand.js';
import { isPlainObject } from '../definition/json.js';
import { unknownName } from '../definition/unknown-name.js';
import type { ProblemList } from '../pipeline/problem-list.js';
import type { HandlerType, StepHandler } from './handler.js';
import { checkEvents } from './event-check.js';
import { TASK_LIMITS } from './limits.js';
import { BACKOFFS, FAILURE_STRATEGIES, type StepType } from './plan.js';
import type { ApprovalConfig, BatchConfig, HandlerUse, StepRetry, TaskStep } from './task.js';
import { checkNumber, checkOneOf, checkSchema, checkText, type Written } from './value-check.js';

const keysOf = <T>(keys: Record<keyof T, true>): readonly string[] => Object.keys(keys);

export const STEP_KEYS = keysOf<Required<TaskStep>>({
  name: true,
  description: true,
  type: true,
  handler: true,
  dependencies: true,
  dependsOn: true,
  retry: true,
  timeoutSeconds: true,
  publishesEvents: true,
  batchConfig: true,
  approval: true,
  resultSchema: true,
});

const HANDLER_KEYS = keysOf<Required<HandlerUse>>({
  callable: true,
  method: true,
  initialization: true,
});

const RETRY_KEYS = keysOf<Required<StepRetry>>({
  retryable: true,
  maxAttempts: true,
  backoff: true,
  backoffBaseMs: true,
  maxBackoffMs: true,
});

const BATCH_KEYS = keysOf<Required<BatchConfig>>({
  batchSize: true,
  parallelism: true,
  cursorField: true,
  workerTemplate: true,
  failureStrategy: true,
});

const APPROVAL_KEYS = keysOf<Required<ApprovalConfig>>({
  timeout: true,
  onTimeout: true,
  result: true,
});

/** A week: no attempt takes longer. */
const MAX_TIMEOUT_SECONDS = 7 * 24 * 60 * 60;

/**
 * Everything that is wrong with what a step says of itself, and what an environment says of it, but for its place in the graph.
 *
 * @param type - undefined where it is none
 */
export function checkStepSettings(
  step: Written,
  what: string,
  type: StepType | undefined,
  problems: ProblemList,
): void {
  checkText(step, 'description', what, problems);
  checkRetry(step['retry'], what, problems.under(['retry']));
  checkNumber(step, 'timeoutSeconds', [0.001, MAX_TIMEOUT_SECONDS], what, problems, false);
  checkSchema(step, 'resultSchema', what, problems);
  checkEvents(step['publishesEvents'], what, problems);
  if (step['batchConfig'] !== undefined && type !== undefined && type !== 'batchable')
    problems.add(
      ['batchConfig'],
      `${what}only a batchable step has a batch_config; this one is of type ${type}.`,
    );
  else checkBatch(step['batchConfig'], what, problems.under(['batchConfig']));
  if (step['approval'] !== undefined && type !== undefined && type !== 'approval')
    problems.add(
      ['approval'],
      `${what}only a step of type approval has approval; this one is of type ${type}.`,
    );
  else checkApproval(step['approval'], what, problems.under(['approval']));
  if (type === 'approval') checkNothingRuns(step, what, problems);
}

/** Nothing runs where somebody is waited for: there is nothing to try again, and the limit has another name. */
function checkNothingRuns(step: Written, what: string, problems: ProblemList): void {
  if (step['retry'] !== undefined)
    problems.add(['retry'], `${what}an approval is asked for once, and has no retry. Take it out.`);
  if (step['timeoutSeconds'] !== undefined)
    problems.add(
      ['timeoutSeconds'],
      `${what}an approval has no timeout_seconds. Write approval: { timeout: 2d }.`,
    );
}

/**
 * The handler that a step uses, where it can be used.
 *
 * @param written - the handler, its name, or its use
 */
export function checkedHandler(
  written: unknown,
  type: StepType,
  handlers: ReadonlyMap<string, StepHandler>,
  what: string,
  problems: ProblemList,
): StepHandler | undefined {
  const use = isHandlerUse(written) ? written : undefined;
  if (use !== undefined)
    problems.under(['handler']).unknownKeys(`${what}handler: `, use, HANDLER_KEYS);
  const callable = use === undefined ? written : use['callable'];
  const path = use === undefined ? ['handler'] : ['handler', 'callable'];
  if (type === 'approval') {
    if (written !== undefined)
      problems.add(
        ['handler'],
        `${what}an approval has no handler: it waits for somebody's answer.`,
      );
    return undefined;
  }
  const name = handlerName(callable);
  if (name === undefined) {
    problems.add(
      path,
      `${what}it has no handler. Write handler: process_payment, the name of one of handlers/.`,
    );
    return undefined;
  }
  const handler = handlers.get(name);
  if (handler === undefined) {
    problems.add(path, `${what}${unknownName(name, [...handlers.keys()], 'handler')}`);
    return undefined;
  }
  checkFit(handler, type, what, path, problems);
  const method = use?.['method'] ?? 'run';
  if (typeof method !== 'string' || !Object.hasOwn(handler.methods, method)) {
    const known = Object.keys(handler.methods);
    problems.add(
      ['handler', 'method'],
      `${what}handler "${name}": ${unknownName(typeof method === 'string' ? method : JSON.stringify(method), known, 'method')}`,
    );
  }
  const initialization = use?.['initialization'];
  if (initialization !== undefined && !isPlainObject(initialization))
    problems.add(['handler', 'initialization'], `${what}handler.initialization must be an object.`);
  return handler;
}

/** Whether a handler is written as `{ callable, … }`, rather than as itself or its name. */
export function isHandlerUse(written: unknown): written is Written {
  return isPlainObject(written) && !isDefinition(written, 'step_handler');
}

/** The name of a handler, however it is written. */
export function handlerName(callable: unknown): string | undefined {
  if (typeof callable === 'string' && callable !== '') return callable;
  // The brand says that it is one.
  return isDefinition(callable, 'step_handler') ? (callable as StepHandler).name : undefined;
}

const FITTING: Readonly<Record<StepType, readonly HandlerType[]>> = {
  standard: ['base', 'api'],
  decision: ['decision'],
  batchable: ['batchable'],
  batch_worker: ['base', 'api'],
  deferred_convergence: ['base', 'api'],
  approval: [],
};

const DEFINED_BY: Readonly<Record<HandlerType, string>> = {
  base: 'defineStepHandler',
  api: 'defineApiHandler',
  decision: 'defineDecisionHandler',
  batchable: 'defineBatchableHandler',
};

function checkFit(
  { name, type: is }: StepHandler,
  type: StepType,
  what: string,
  path: readonly string[],
  problems: ProblemList,
): void {
  const fitting = FITTING[type];
  if (fitting.includes(is)) return;
  const needed = fitting.map((one) => DEFINED_BY[one]).join(' or ');
  problems.add(
    path,
    `${what}handler "${name}" is of type ${is}; a ${type} step needs one made by ${needed}.`,
  );
}

function checkRetry(retry: unknown, what: string, problems: ProblemList): void {
  if (retry === undefined) return;
  if (!isPlainObject(retry)) {
    problems.add([], `${what}retry must be an object, such as { max_attempts: 5 }.`);
    return;
  }
  problems.unknownKeys(`${what}retry: `, retry, RETRY_KEYS);
  if (retry['retryable'] !== undefined && typeof retry['retryable'] !== 'boolean')
    problems.add(['retryable'], `${what}retry.retryable must be true or false.`);
  checkNumber(retry, 'maxAttempts', [1, TASK_LIMITS.attempts], `${what}retry.`, problems);
  checkNumber(retry, 'backoffBaseMs', [0, MAX_TIMEOUT_SECONDS * 1_000], `${what}retry.`, problems);
  checkNumber(retry, 'maxBackoffMs', [0, MAX_TIMEOUT_SECONDS * 1_000], `${what}retry.`, problems);
  checkOneOf(retry, 'backoff', BACKOFFS, `${what}retry.`, problems);
}

function checkBatch(batch: unknown, what: string, problems: ProblemList): void {
  if (batch === undefined) return;
  if (!isPlainObject(batch)) {
    problems.add(
      [],
      `${what}batch_config must be an object, such as { worker_template: load_rows }.`,
    );
    return;
  }
  const at = `${what}batch_config.`;
  problems.unknownKeys(`${what}batch_config: `, batch, BATCH_KEYS);
  checkNumber(batch, 'batchSize', [1, 1_000_000_000], at, problems);
  checkNumber(batch, 'parallelism', [1, TASK_LIMITS.parallelism], at, problems);
  checkText(batch, 'cursorField', at, problems);
  checkOneOf(batch, 'failureStrategy', FAILURE_STRATEGIES, at, problems);
}

function checkApproval(approval: unknown, what: string, problems: ProblemList): void {
  if (approval === undefined) return;
  if (!isPlainObject(approval)) {
    problems.add([], `${what}approval must be an object, such as { timeout: 2d }.`);
    return;
  }
  problems.unknownKeys(`${what}approval: `, approval, APPROVAL_KEYS);
  problems.timeout(['timeout'], `${what}approval.timeout`, approval['timeout']);
  checkOneOf(approval, 'onTimeout', ['fail', 'complete'], `${what}approval.`, problems);
}
