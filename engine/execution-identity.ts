import { ulid } from 'ulid';
import type { JsonObject } from '../src/definition/json.js';
import { IdentityKeyMissing } from './errors.js';
import { digest, idempotentExecutionId } from './idempotency.js';
import type { Definition } from './registry.js';

/** What the id of a run may follow from. */
export interface IdentityRequest {
  readonly idempotencyKey?: string;
  readonly identityKey?: string;
  /** The dead letter that the run takes the place of. */
  readonly requeues?: string;
  readonly principal?: string;
}

/** The id of a run that is to be started. */
export interface ExecutionIdentity {
  readonly executionId: string;
  /** It says what the run is about: a second run is refused, unless the request has an idempotency key. */
  readonly isIdentity: boolean;
}

/** The id of a run: what a key, or the task's identity, makes of it, else a new one. @throws {@link IdentityKeyMissing} */
export function executionIdentity(
  definition: Definition,
  input: JsonObject,
  { idempotencyKey: key, identityKey, requeues, principal }: IdentityRequest,
): ExecutionIdentity {
  const { name } = definition;
  if (requeues !== undefined)
    return { executionId: digest(['requeue', name, requeues]), isIdentity: false };
  const strategy = definition.kind === 'task' ? definition.identityStrategy : 'always_unique';
  if (definition.kind === 'task' && strategy !== 'always_unique') {
    if (strategy === 'caller_provided' && identityKey === undefined)
      throw new IdentityKeyMissing(name);
    const { namespace, version } = definition.plan;
    const about =
      strategy === 'strict' ? ['strict', namespace, name, version, input] : ['key', identityKey];
    return { executionId: digest(about), isIdentity: true };
  }
  const executionId =
    key === undefined ? ulid() : idempotentExecutionId({ definition: name, principal, key });
  return { executionId, isIdentity: false };
}
