import type { Json } from '../definition/json.js';
import type { OperationFailure } from './context.js';

/** Error types that the product itself raises in a run. Clients see them as `code`; docs/errors.md explains each. */
export const FAILURE_TYPES = {
  contractViolation: 'contract_violation',
  timeout: 'timeout',
  contractChanged: 'ContractChanged',
  operationNotRegistered: 'OperationNotRegistered',
  handlerNotRegistered: 'HandlerNotRegistered',
  payloadLimit: 'PayloadLimitExceeded',
  namespaceCount: 'NamespaceCount',
  workerShutdown: 'WorkerShutdown',
  planRefused: 'PlanRefused',
  pipelineNotFound: 'PipelineNotFound',
  planningTimeout: 'PlanningTimeout',
  activityNotRegistered: 'ActivityNotRegistered',
  flowNotRegistered: 'FlowNotRegistered',
  recordPipelineNotRegistered: 'RecordPipelineNotRegistered',
  recordsFailed: 'RecordsFailed',
  moduleNotRegistered: 'ModuleNotRegistered',
  entityFailed: 'EntityFailed',
  pipelineBusy: 'PipelineBusy',
  catalogUnavailable: 'CatalogUnavailable',
  workerLost: 'WorkerLost',
  approvalRejected: 'ApprovalRejected',
  approvalTimeout: 'ApprovalTimeout',
  dependencyWait: 'DependencyWaitExceeded',
  retryWait: 'RetryWaitExceeded',
  stepResult: 'StepResultInvalid',
} as const;

/** What went wrong in a run, as its result, its events and its webhooks tell it. */
export interface Failure extends OperationFailure {
  readonly stage?: string;
  readonly operation?: string;
  /** Of a task. */
  readonly step?: string;
  /** Of a step: of the code that ran. */
  readonly handlerVersion?: string;
  readonly attempts?: number;
}

/** The three error types of seed 000's API. Everything that is neither of the other two is an `execution_error`. */
export type ApiErrorType = 'contract_violation' | 'timeout' | 'execution_error';

/** The API's name for a failure's type. */
export function apiErrorType(failureType: string): ApiErrorType {
  return failureType === 'contract_violation' || failureType === 'timeout'
    ? failureType
    : 'execution_error';
}

/** Whether a plan's `ignoreErrors` covers a failure. Predicates were asked where the code is, in the activity. */
export function ignoresFailure(ignoreErrors: unknown, failure: OperationFailure): boolean {
  if (isOutOfTime(failure)) return false;
  if (ignoreErrors === true) return true;
  return Array.isArray(ignoreErrors) && ignoreErrors.includes(failure.type);
}

/** True when the stage or the pipeline ran out of time: that ends the run, whatever an operation ignores. */
export function isOutOfTime({ type, retryable }: OperationFailure): boolean {
  return type === FAILURE_TYPES.timeout && !retryable;
}

/** True for a failure as {@link failureJson} sends it; anybody may put something else into an error's details. */
export function isFailure(value: unknown): value is Failure {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    'message' in value &&
    'retryable' in value
  );
}

/** A failure as plain JSON, to be sent in an error's details. */
export function failureJson(failure: Failure): Json {
  return JSON.parse(JSON.stringify(failure)) as Json;
}
