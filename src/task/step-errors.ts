import type { Json } from '../definition/json.js';
import { PermanentError, RetryableError } from '../pipeline/permanent.js';
import { STEP_ERROR_TYPES } from './step-result.js';

/** What a step was given is wrong: another attempt would not help. */
export class ValidationError extends PermanentError {
  override readonly name = 'ValidationError';
  constructor(message: string, details?: Json) {
    super(message, details, STEP_ERROR_TYPES.validation);
  }
}

/** Something that nobody has thought of: another attempt may help. */
export class UnexpectedError extends RetryableError {
  override readonly name = 'UnexpectedError';
}
