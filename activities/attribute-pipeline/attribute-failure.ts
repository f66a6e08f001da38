import { ApplicationFailure, type Context } from '@temporalio/activity';
import { isCatalogAway } from '../../adapters/catalog/catalog-away.js';
import { CatalogNewer, CatalogUnavailable } from '../../adapters/catalog/catalog-errors.js';
import { errorMessage } from '../../adapters/error-parts.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import { AttributeCatalogError } from '../../src/attribute-pipeline/catalog-errors.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { applicationFailure, failureOf, isCancelled, retryAfterMs } from '../failure.js';

/** What an attempt has ended with, as the workflow understands it. */
export function attributeFailure(error: unknown, activity: Context): unknown {
  if (isCancelled(error, activity.cancellationSignal)) {
    if (activity.cancellationDetails?.workerShutdown !== true) return error;
    return ApplicationFailure.create({
      type: FAILURE_TYPES.workerShutdown,
      message: 'The worker stopped; the run goes on when one is there again.',
      nonRetryable: true,
    });
  }
  return applicationFailure(failureOf(asFailure(error)), error, retryAfterMs(error));
}

function asFailure(error: unknown): unknown {
  if (error instanceof CatalogUnavailable || error instanceof CatalogNewer) return error;
  if (isCatalogAway(error)) {
    const away = new Error(`The catalog cannot be reached: ${errorMessage(error)}`);
    away.name = FAILURE_TYPES.catalogUnavailable;
    return away;
  }
  // What the catalog refuses it refuses again.
  return error instanceof AttributeCatalogError
    ? permanent(error.message, undefined, error.name)
    : error;
}

/** Nothing is to be done for a run any more. */
export function runOver({ id, status }: AttributeRun): Error {
  return permanent(`Run ${id} is over: ${status}.`, undefined, 'RunOver');
}
