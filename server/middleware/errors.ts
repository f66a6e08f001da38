import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import type { Context } from 'koa';
import { CatalogNewer, CatalogUnavailable } from '../../adapters/catalog/catalog-errors.js';
import {
  FlowActive,
  FlowNotFound,
  FlowNotScheduled,
  FlowRunNotFound,
  FlowRunOver,
  FlowStartDelayed,
} from '../../engine/data-flow/flow-errors.js';
import { NoDeadLetter } from '../../engine/dead-letters.js';
import {
  DefinitionNotFound,
  DuplicateTask,
  IdempotencyConflict,
  IdentityKeyMissing,
  RunFailed,
  RunNotFound,
} from '../../engine/errors.js';
import {
  RecordPipelineNotFound,
  RecordRunNotFound,
  RecordRunOver,
  RecordStoreAway,
  RecordStoreRefused,
  RecordStoreSlow,
  TooManyStoreQuestions,
} from '../../engine/record-pipeline/record-store-errors.js';
import { StepRefused } from '../../engine/step-request.js';
import { InvalidPageToken } from '../../engine/execution-list.js';
import { TemporalUnavailable } from '../../engine/temporal-request.js';
import { ContractViolation, type PropertyViolation } from '../../src/contract/violation.js';
import { ConfigurationInvalid } from '../../src/data-flow/configuration.js';
import { isPlainObject, type Json } from '../../src/definition/json.js';
import { apiErrorType, FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import { STORE_QUESTION_FAILURES } from '../../src/record-pipeline/store-question.js';
import { HttpProblem, type ErrorType } from '../http-problem.js';
import { recordOf } from '../request-record.js';
import { ofAttributes } from './attribute-errors.js';
import type { Around } from './chain.js';

/** Most violations that a body lists. */
const MAX_VIOLATIONS = 100;

/** Seconds after which a request that found the Temporal server or the catalog away may be worth repeating. */
const RETRY_AFTER_S = '2';

/**
 * The one place where errors become HTTP bodies: `{ success: false, error, type, request_id, … }`, and no stack trace.
 * Seed 000 prescribes the statuses 401, 403, 404, 422, 500 and 504 and their messages.
 */
export const errors: Around = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const problem = problemOf(error);
    const { id, executionId, log } = recordOf(ctx);
    if (problem.type === 'internal_error') log.error({ err: error }, 'request failed');
    else if (problem.type === 'unavailable')
      log.warn({ err: error }, 'a server that this one needs did not answer');
    else if (problem.type === 'store_unusable')
      log.warn({ err: error }, 'a record store cannot be used');
    // Nothing can be said any more to who got the head of another response.
    if (ctx.headerSent) return;
    respond(ctx, problem, {
      request_id: id,
      ...(executionId !== undefined && { execution_id: executionId }),
    });
  }
};

function respond(ctx: Context, problem: HttpProblem, known: Readonly<Record<string, Json>>): void {
  ctx.status = problem.status;
  ctx.set({ ...problem.headers });
  // RFC 9110 wants a challenge with each 401; a hook that knows better has set one.
  if (problem.status === 401 && !ctx.res.hasHeader('WWW-Authenticate'))
    ctx.set('WWW-Authenticate', 'Bearer');
  ctx.body = {
    success: false,
    error: problem.message,
    type: problem.type,
    ...problem.fields,
    ...known,
  };
}

/** What a client is told of an error. */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof ContractViolation) return violated(error);
  if (error instanceof RunFailed) return ended(error);
  if (error instanceof DefinitionNotFound) return new HttpProblem(404, 'not_found', error.message);
  if (error instanceof RunNotFound) return new HttpProblem(404, 'not_found', 'Execution not found');
  if (error instanceof FlowStartDelayed) return delayed(error);
  if (error instanceof TemporalUnavailable) return away();
  if (error instanceof InvalidPageToken)
    return new HttpProblem(400, 'invalid_request', error.message);
  if (error instanceof IdempotencyConflict) {
    return new HttpProblem(422, 'idempotency_conflict', error.message, {
      fields: { execution_id: error.executionId },
    });
  }
  return (
    ofTasks(error) ??
    ofDataFlows(error) ??
    ofRecordPipelines(error) ??
    ofAttributes(error) ??
    ofTemporal(error) ??
    exposed(error) ??
    new HttpProblem(500, 'internal_error', 'Internal server error')
  );
}

function violated(error: {
  readonly message: string;
  readonly violations: readonly PropertyViolation[];
}): HttpProblem {
  const violations = error.violations
    .slice(0, MAX_VIOLATIONS)
    .map(({ path, expected, got, message }) => ({
      path,
      ...(expected !== undefined && { expected }),
      got,
      message,
    }));
  return new HttpProblem(422, 'contract_violation', error.message, { fields: { violations } });
}

const STATUS_OF_TYPE = { contract_violation: 422, execution_error: 500, timeout: 504 } as const;

/** A run that ended without a result. Cancelled and terminated ones are nobody's fault: the request met another's. */
function ended({ status, failure }: RunFailed): HttpProblem {
  const type = apiErrorType(failure.type);
  const stopped = status === 'cancelled' || status === 'terminated';
  const fields = { code: failure.type, status, ...placeOf(failure) };
  return new HttpProblem(stopped ? 409 : STATUS_OF_TYPE[type], type, failure.message, { fields });
}

/** Where a run failed and what it says about it. */
export function placeOf({
  stage,
  operation,
  step,
  attempts,
  details,
}: Failure): Readonly<Record<string, Json>> {
  return {
    ...(stage !== undefined && { stage }),
    ...(operation !== undefined && { operation }),
    ...(step !== undefined && { step }),
    ...(attempts !== undefined && { attempts }),
    ...(details !== undefined && { details }),
  };
}

function ofTasks(error: unknown): HttpProblem | undefined {
  if (error instanceof DuplicateTask) {
    const fields = { execution_id: error.executionId };
    return new HttpProblem(409, 'duplicate_task', error.message, { fields });
  }
  if (error instanceof IdentityKeyMissing)
    return new HttpProblem(422, 'invalid_request', error.message);
  if (error instanceof NoDeadLetter) return new HttpProblem(409, 'no_dead_letter', error.message);
  if (!(error instanceof StepRefused)) return undefined;
  const { status, reason, message, step } = error;
  if (status === undefined) return new HttpProblem(404, 'not_found', message);
  const fields = { step, step_status: status, reason };
  return new HttpProblem(409, 'step_refused', message, { fields });
}

function ofDataFlows(error: unknown): HttpProblem | undefined {
  if (error instanceof FlowNotFound || error instanceof FlowRunNotFound)
    return new HttpProblem(404, 'not_found', error.message);
  if (error instanceof FlowNotScheduled)
    return new HttpProblem(409, 'not_scheduled', error.message);
  if (error instanceof FlowActive) {
    const { id, runSeq } = error.run;
    const fields = { run_id: id, run_seq: runSeq };
    return new HttpProblem(409, 'flow_active', error.message, { fields });
  }
  if (error instanceof FlowRunOver) {
    const fields = { status: error.run.status };
    return new HttpProblem(409, 'execution_closed', error.message, { fields });
  }
  if (error instanceof ConfigurationInvalid) return violated(error);
  if (error instanceof CatalogUnavailable || error instanceof CatalogNewer)
    return unavailable('The catalog of data flows cannot be reached. Try again.');
  return undefined;
}

function delayed({ message, run }: FlowStartDelayed): HttpProblem {
  return unavailable(message, { run_id: run.id, run_seq: run.runSeq });
}

function ofRecordPipelines(error: unknown): HttpProblem | undefined {
  if (error instanceof RecordPipelineNotFound || error instanceof RecordRunNotFound)
    return new HttpProblem(404, 'not_found', error.message);
  if (error instanceof RecordRunOver) {
    const fields = { status: error.status };
    return new HttpProblem(409, 'execution_closed', error.message, { fields });
  }
  if (error instanceof RecordStoreAway) {
    const { store, message } = error;
    const headers = { 'Retry-After': RETRY_AFTER_S };
    const fields = store === undefined ? {} : { store_id: store.id, host: store.host };
    return new HttpProblem(503, 'store_away', message, { headers, fields });
  }
  if (error instanceof RecordStoreSlow) return new HttpProblem(504, 'timeout', error.message);
  if (error instanceof TooManyStoreQuestions) return unavailable(error.message);
  return error instanceof RecordStoreRefused ? refusedByStore(error.failure) : undefined;
}

/** What a store has said of itself, by the type of its own error. */
function refusedByStore({ type, message, details, retryable }: Failure): HttpProblem | undefined {
  switch (type) {
    case 'NoSuchVersion':
    case STORE_QUESTION_FAILURES.runNotFound:
    case STORE_QUESTION_FAILURES.typeNotFound:
      return new HttpProblem(404, 'not_found', message);
    case 'StoreBusy':
      return new HttpProblem(409, 'store_busy', message, {
        fields: isPlainObject(details) ? details : {},
      });
    case FAILURE_TYPES.contractViolation:
      return new HttpProblem(422, 'contract_violation', message, {
        fields: Array.isArray(details) ? { violations: details } : {},
      });
    case FAILURE_TYPES.timeout:
    case 'StoreReadTimeout':
      return new HttpProblem(504, 'timeout', message);
    case FAILURE_TYPES.workerLost:
    case FAILURE_TYPES.workerShutdown:
    case 'cancelled':
    case 'terminated':
      return unavailable(message);
    case 'StoreUnusable':
    case 'MigrationChanged':
      return retryable
        ? new HttpProblem(503, 'store_unusable', message, {
            headers: { 'Retry-After': RETRY_AFTER_S },
          })
        : new HttpProblem(500, 'store_unusable', message);
    default:
      return undefined;
  }
}

/** Codes of gRPC (google.rpc.Code). */
const INVALID_ARGUMENT: number = 3;
const AWAY: readonly number[] = [
  4 /* deadline */, 8 /* exhausted */, 10 /* aborted */, 14 /* unavailable */,
];

function ofTemporal(error: unknown): HttpProblem | undefined {
  const cause: unknown = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return undefined;
  const code: number = cause.code;
  if (code === INVALID_ARGUMENT && /size|limit|large/i.test(cause.message)) {
    return new HttpProblem(
      413,
      'payload_too_large',
      'The input is larger than the payloads that the Temporal server accepts (2 MB unless set).',
    );
  }
  return AWAY.includes(code) ? away() : undefined;
}

function away(): HttpProblem {
  return unavailable('The Temporal server cannot be reached or is overloaded. Try again.');
}

function unavailable(message: string, fields: Readonly<Record<string, Json>> = {}): HttpProblem {
  const headers = { 'Retry-After': RETRY_AFTER_S };
  return new HttpProblem(503, 'unavailable', message, { headers, fields });
}

/** Errors of hooks and of Koa, which say by `status` and `expose` what a client may know (the `http-errors` form). */
function exposed(error: unknown): HttpProblem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { status, expose, headers } = error as Error & {
    status?: unknown;
    expose?: unknown;
    headers?: unknown;
  };
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 400 || status > 599)
    return undefined;
  if (expose !== true && !(expose === undefined && status < 500)) return undefined;
  const texts = isPlainObject(headers)
    ? Object.entries(headers).filter(([, value]) => typeof value === 'string')
    : [];
  // Only texts are left.
  return new HttpProblem(status, typeOfStatus(status), error.message, {
    headers: Object.fromEntries(texts) as Record<string, string>,
  });
}

function typeOfStatus(status: number): ErrorType {
  const known: Readonly<Record<number, ErrorType>> = {
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not_found',
  };
  return known[status] ?? 'rejected';
}
